//! How much a sandbox may use.
//!
//! Without a delegated cgroup there is no limit on a tree of processes as a whole. Each process
//! gets resource limits (setrlimit(2)), the namespaces get theirs (namespaces(7)), and PID 1 of the
//! sandbox watches the sum.

use std::fs;

use nix::sys::resource::Resource;

pub use crate::helper::limits::PROCESSES;
use crate::helper::limits::{GIVEN, Given, getrlimit, setrlimit};
use crate::helper::refusal::{Refusal, refused};
use crate::look::stat::{Stat, rss};
use crate::look::{Fields, kernel};

/// Bytes of resident memory, all processes of a sandbox together.
pub const MEMORY: u64 = 512 << 20;
/// Bytes a program may print, on both streams together, before it is stopped.
pub const OUTPUT: u64 = 8 << 20;

/// How many of these each user may have below the outer user namespace (namespaces(7), inotify(7)).
/// They also count towards the user's limit on the whole machine, so a program that took all would
/// leave none to that user outside.
const OF_NAMESPACES: [(&str, &str); 11] = [
    ("max_user_namespaces", "40"),
    ("max_mnt_namespaces", "40"),
    ("max_pid_namespaces", "40"),
    ("max_net_namespaces", "40"),
    ("max_uts_namespaces", "40"),
    ("max_ipc_namespaces", "40"),
    ("max_cgroup_namespaces", "40"),
    ("max_time_namespaces", "40"),
    ("max_inotify_instances", "32"),
    ("max_inotify_watches", "4096"),
    ("max_fanotify_groups", "8"),
];

/// Limits that may be lower on this machine, because no program needs them.
const AT_MOST: [(Resource, u64); 3] = [
    // 1, not 0: the kernel then does not start a core dump helper either (core(5)).
    (Resource::RLIMIT_CORE, 1),
    // Counted per user, whose programs outside need some, too.
    (Resource::RLIMIT_SIGPENDING, 1024),
    (Resource::RLIMIT_MEMLOCK, 8 << 20),
];

/// In the outer user and PID namespaces, in which the program has no capability. A limit that
/// cannot be set (on an old kernel, with a read-only `/proc/sys`) is a second line of defence, not
/// the first.
pub(crate) fn on_namespaces() {
    for (file, most) in OF_NAMESPACES {
        _ = fs::write(format!("/proc/sys/user/{file}"), most);
    }
    // Against accidents only: the program has the id of this PID namespace's root, and may raise it
    // again (`pid_table_root_permissions` in kernel/pid.c).
    if kernel::pid_max_is_of_a_namespace() {
        _ = fs::write("/proc/sys/kernel/pid_max", "400");
    }
}

/// On the calling process and its descendants.
///
/// # Errors
///
/// The limit that this machine does not allow to be so high. A right program could fail by a lower
/// one.
pub(crate) fn on_this_process() -> Result<(), Refusal> {
    for Given { resource, value, .. } in GIVEN {
        let before = match resource {
            Resource::RLIMIT_NPROC => already_running(),
            _ => 0,
        };
        let most = value + before;
        // What is there for the processes before is not to be had everywhere, and they may end.
        let raised = setrlimit(resource, most, most).or_else(|_| setrlimit(resource, value, value));
        raised.map_err(refused("limits", format!("setrlimit({resource:?}, {value})")))?;
    }
    for (resource, most) in AT_MOST {
        // Root may have set a lower one for this user, and a hard limit can only be lowered.
        let lowered = getrlimit(resource).and_then(|(_, hard)| {
            let most = hard.min(most);
            setrlimit(resource, most, most)
        });
        lowered.map_err(refused("limits", format!("setrlimit({resource:?}, {most})")))?;
    }
    // Killed first when the machine runs out of memory.
    _ = fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

/// What RLIMIT_NPROC counts before the program starts. Since Linux 5.14 it counts the user's
/// processes in this user namespace; before, all of the user's.
fn already_running() -> u64 {
    if kernel::version() >= Some((5, 14)) {
        return 0;
    }
    // The sandbox's own /proc shows no process outside. The fourth field of proc_loadavg(5) counts
    // those of the whole machine, which is at least as many.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let tasks = load.split(['/', ' ']).nth(4).and_then(|count| count.parse().ok());
    tasks.unwrap_or(0)
}

/// What the processes of this PID namespace use at this moment.
pub(crate) struct Usage {
    pub(crate) memory: u64,
    /// Threads included: that is what `RLIMIT_NPROC` counts.
    pub(crate) processes: u64,
}

/// # Errors
///
/// Those of open(2). What they use is unknown then.
pub(crate) fn usage() -> std::io::Result<Usage> {
    let pids: Vec<_> = pids()?.filter(|pid| *pid != 1).collect();
    let mut usage = Usage { memory: 0, processes: pids.len() as u64 };
    if usage.processes >= PROCESSES {
        // Hundreds of processes that keep forking leave PID 1 little time, and their number is
        // enough.
        return Ok(usage);
    }
    usage.processes = 0;
    for pid in pids {
        usage.memory += rss(pid);
        usage.processes += Stat::of(pid).map_or(1, |stat| stat.threads);
    }
    Ok(usage)
}

/// Memory that belongs to no process, and that the kernel counts for the whole machine only.
///
/// No resource limit counts the sum of a tmpfs that the program mounts, a memfd, an IPC object, and
/// many of them cannot be seen from here. Nor can what the kernel allocates for the program:
/// messages, mounts, interfaces, inodes. As the numbers include the rest of the machine, two of
/// them are compared: from before the program and now.
#[derive(Clone, Copy)]
pub(crate) struct KernelMemory {
    /// Bytes in files without a disk.
    files: u64,
    /// Bytes of the kernel's own that it cannot reclaim.
    kernel: u64,
}

impl KernelMemory {
    /// From proc_meminfo(5).
    pub(crate) fn now() -> KernelMemory {
        let kilobytes = Fields::read("/proc/meminfo").unwrap_or_default();
        let bytes = |name| kilobytes.number(name).unwrap_or(0_u64) * 1024;
        let kernel = ["SUnreclaim", "KernelStack", "PageTables", "Percpu"].map(bytes);
        KernelMemory { files: bytes("Shmem"), kernel: kernel.iter().sum() }
    }

    /// Whether it has grown by more than one sandbox may use. As other programs use memory
    /// meanwhile, files may grow by twice [`MEMORY`].
    pub(crate) fn has_grown_too_much(self) -> bool {
        let now = KernelMemory::now();
        now.files > self.files + 2 * MEMORY || now.kernel > self.kernel + MEMORY
    }
}

/// Pid and name of the other processes that are alive in this PID namespace.
///
/// # Errors
///
/// As for [`usage`].
pub(crate) fn others(except: &[i32]) -> std::io::Result<Vec<(i32, String)>> {
    let others = pids()?.filter(|pid| *pid != 1 && !except.contains(pid));
    let alive = others.filter_map(|pid| {
        let stat = Stat::of(pid)?;
        (!stat.has_ended()).then_some((pid, stat.name))
    });
    Ok(alive.collect())
}

fn pids() -> std::io::Result<impl Iterator<Item = i32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}
