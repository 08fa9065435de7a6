//! How much a sandbox may use.
//!
//! Without a delegated cgroup there is no limit on a tree of processes as a whole. Each process
//! gets resource limits (setrlimit(2)), the namespaces get theirs (namespaces(7)), and PID 1 of
//! the sandbox looks at the sum.

use std::fs;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::utsname::uname;

/// Bytes of resident memory, all processes of a sandbox together.
pub const MEMORY: u64 = 512 << 20;
/// Processes and threads alive at once.
pub const PROCESSES: u64 = 160;
/// Bytes a program may print, on both streams together, before it is stopped.
pub const OUTPUT: u64 = 8 << 20;

/// In the outer user and PID namespaces, where the program has no power. What is refused here
/// (an old kernel, a read-only `/proc/sys`) is a second line of defence, not the first.
pub(crate) fn on_namespaces() {
    // The costly ones. A user namespace is needed for any, so its limit bounds the rest as well.
    for kind in ["mnt", "net", "pid", "user"] {
        _ = fs::write(format!("/proc/sys/user/max_{kind}_namespaces"), "40");
    }
    // Against accidents: the program has the id of this PID namespace's root, and so may raise it
    // again (`pid_table_root_permissions` in kernel/pid.c).
    _ = fs::write("/proc/sys/kernel/pid_max", "400");
}

/// On the calling process and all that will come of it.
pub(crate) fn on_this_process() -> nix::Result<()> {
    let limits = [
        (Resource::RLIMIT_NPROC, PROCESSES + already_running()),
        (Resource::RLIMIT_AS, 1 << 30),
        (Resource::RLIMIT_CPU, 20),
        (Resource::RLIMIT_FSIZE, 16 << 20),
        (Resource::RLIMIT_NOFILE, 256),
        // 1, not 0: the kernel then does not start a core dump helper either (core(5)).
        (Resource::RLIMIT_CORE, 1),
    ];
    for (resource, most) in limits {
        // Root may have set a lower one for this user: limits only go down.
        let hard = nix::sys::resource::getrlimit(resource)?.1.min(most);
        setrlimit(resource, hard, hard)?;
    }
    // First to go when the machine runs out of memory.
    _ = fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

/// Since Linux 5.14 the limit counts the processes of a user namespace; before, all of the user's.
fn already_running() -> u64 {
    let release = uname().map(|names| names.release().to_string_lossy().into_owned());
    let release = release.unwrap_or_default();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (5, 14) {
        return 0;
    }
    // /proc is the sandbox's own and shows no process of this user outside. loadavg(5)'s fourth
    // field counts all of the machine's, which is at least as many.
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
/// Those of open(2): then nobody knows what they use.
pub(crate) fn usage() -> std::io::Result<Usage> {
    let pids: Vec<_> = pids()?.filter(|pid| *pid != 1).collect();
    let mut usage = Usage { memory: 0, processes: pids.len() as u64 };
    if usage.processes >= PROCESSES {
        // Hundreds that fork for ever leave us little time: their number says enough.
        return Ok(usage);
    }
    usage.processes = 0;
    for pid in pids {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
        let resident = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        usage.memory += resident.unwrap_or(0) * 4096;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // After the name, which may hold anything, come the state and 16 fields, then num_threads.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let threads =
            fields.split_ascii_whitespace().nth(17).and_then(|count| count.parse::<u64>().ok());
        usage.processes += threads.unwrap_or(1);
    }
    Ok(usage)
}

/// Bytes that the whole machine may come to use in files without a disk while a program runs.
///
/// A tmpfs that the program mounts, a memfd, an object of IPC: none is in any process's memory, no
/// resource limit counts their sum, and many cannot be seen from here. The kernel counts them for
/// the machine only, so others' are in the sum; hence twice [`MEMORY`].
pub(crate) const SHARED: u64 = 2 * MEMORY;

/// What the machine uses in such files: `Shmem` of proc_meminfo(5), in bytes.
pub(crate) fn shared_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Shmem:"));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Everybody else who is alive in this PID namespace: pid and name.
///
/// # Errors
///
/// As for [`usage`].
pub(crate) fn others(except: &[i32]) -> std::io::Result<Vec<(i32, String)>> {
    let others = pids()?
        .filter(|pid| *pid != 1 && !except.contains(pid))
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
            (!rest.trim_start().starts_with(['Z', 'X'])).then(|| (pid, name.to_owned()))
        })
        .collect();
    Ok(others)
}

fn pids() -> std::io::Result<impl Iterator<Item = i32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}
