//! How each environment is set up: in the namespaces of a throwaway process, so nothing of this machine
//! changes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::exit;

use lab::look::kernel;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Gid, Uid, chdir, chroot, fork, pivot_root, setgroups, setresgid};

use super::{filter, landlock};

type Staged = Result<(), String>;

/// Where an environment has its mounts, in a mount namespace of its own.
const FOLDER: &str = "/tmp";

pub(super) fn enter(name: &str) -> Staged {
    if let Some((program, rest)) = name.split_once(", ") {
        inside(program)?;
        return enter(rest);
    }
    if let Some((kind, most)) = name.strip_prefix("limit ").and_then(|rest| rest.split_once(' ')) {
        return limit(kind, most);
    }
    if let Some((name, most)) = name.strip_prefix("ulimit ").and_then(|rest| rest.split_once(' ')) {
        return ulimit(name, most);
    }
    match name {
        "as it is" => Ok(()),
        "a user namespace" => own(CloneFlags::empty()),
        "unmapped" => leave(CloneFlags::CLONE_NEWUSER),
        "depth 0" => deep(0),
        "depth 1" => deep(1),
        "seccomp docker" => filter::like_docker(),
        "seccomp mount" => filter::without_mount(),
        "seccomp enosys" => filter::without_namespaces(),
        "seccomp kill" => filter::that_kills(),
        "seccomp time" => filter::without_time(),
        "seccomp ptrace" => filter::without_ptrace(),
        "seccomp old" => filter::like_an_old_kernel(),
        "proc masked" => with_own_mounts(mask_proc),
        "proc lxcfs" => with_own_mounts(like_lxcfs),
        "proc read-only" => with_own_mounts(read_only_proc),
        "proc missing" => with_own_mounts(|| mount_new("tmpfs", "/proc", "")),
        "proc hidepid" => with_own_pids(|| mount_new("proc", "/proc", "hidepid=2")),
        "proc hidepid=1" | "proc hidepid=2" => hide_processes(name.trim_start_matches("proc ")),
        "proc subset" => with_own_pids(|| mount_new("proc", "/proc", "subset=pid")),
        "proc foreign" => with_own_pids(|| Ok(())),
        "chroot" => with_own_mounts(|| in_a_chroot(false)),
        "chroot to a mount point" => with_own_mounts(|| in_a_chroot(true)),
        "no /tmp" => with_own_mounts(|| in_a_new_root(|_| Ok(()))),
        "descriptors in use" => use_descriptors(),
        "few pids" => few_pids(),
        "landlock /proc" => landlock::allow_writing_below(&["/dev", "/tmp"]),
        "landlock mounts" => landlock::allow_writing_below(&["/"]),
        "without CAP_SYS_ADMIN" => without_capability(21),
        "without CAP_SETFCAP" => without_capability(31),
        // This is a mistake in the table, and no lack of the machine.
        unknown => panic!("no environment `{unknown}`"),
    }
}

fn because<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

fn leave(flags: CloneFlags) -> Staged {
    unshare(flags).map_err(because("unshare()"))
}

/// A user namespace in which this process is root, and other new namespaces.
fn own(flags: CloneFlags) -> Staged {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    leave(CloneFlags::CLONE_NEWUSER | flags)?;
    for (file, text) in [
        ("setgroups", "deny".into()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ] {
        fs::write(format!("/proc/self/{file}"), text).map_err(because(file))?;
    }
    Ok(())
}

/// A limit of a user namespace counts what is created in it.
fn limit(kind: &str, most: &str) -> Staged {
    own(CloneFlags::empty())?;
    let file = format!("/proc/sys/user/max_{kind}_namespaces");
    fs::write(&file, most).map_err(because(&file))
}

/// So deep that `left` more levels of user namespaces can be made.
fn deep(left: usize) -> Staged {
    // A child goes all the way down to find out how many there can be.
    let fit = in_child(|| {
        let mut levels = 0;
        while levels < 60 && own(CloneFlags::empty()).is_ok() {
            levels += 1;
        }
        levels
    })?;
    let levels = usize::try_from(fit).ok().and_then(|fit| fit.checked_sub(left));
    let levels = levels.ok_or("there is no depth left")?;
    if levels >= 60 {
        return Err("this kernel has no limit on depth".into());
    }
    (0..levels).try_for_each(|_| own(CloneFlags::empty()))
}

/// The exit status of a child that runs `work`.
fn in_child(work: impl FnOnce() -> i32) -> Result<i32, String> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(because("fork()"))? {
        ForkResult::Child => exit(work()),
        ForkResult::Parent { child } => match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => Ok(status),
            other => Err(format!("a child ended with {other:?}")),
        },
    }
}

fn with_own_mounts(change: impl FnOnce() -> Staged) -> Staged {
    own(CloneFlags::CLONE_NEWNS)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(because("private"))?;
    change()
}

/// Returns in a child that is PID 1 of a new PID namespace. This process exits with its status.
fn with_own_pids(change: impl FnOnce() -> Staged) -> Staged {
    with_own_mounts(|| {
        leave(CloneFlags::CLONE_NEWPID)?;
        // SAFETY: this process has one thread.
        match unsafe { fork() }.map_err(because("fork()"))? {
            ForkResult::Child => change(),
            ForkResult::Parent { child } => match waitpid(child, None) {
                Ok(WaitStatus::Exited(_, status)) => exit(status),
                other => Err(format!("a child ended with {other:?}")),
            },
        }
    })
}

fn mount_new(kind: &str, target: &str, options: &str) -> Staged {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some(kind), target, Some(kind), flags, Some(options))
        .map_err(because(&format!("mount {kind}")))
}

fn bind(from: &str, to: &str) -> Staged {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>).map_err(because(&format!("bind {to}")))
}

/// As container runtimes do. The files depend on the kernel's configuration.
fn mask_proc() -> Staged {
    let files = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts"];
    let file = files.into_iter().find(|file| fs::metadata(file).is_ok());
    bind("/dev/null", file.ok_or("nothing to mask in /proc")?)
}

/// As in containers of LXD, where a FUSE file system provides these files.
fn like_lxcfs() -> Staged {
    bind("/dev/null", "/proc/cpuinfo")?;
    bind("/dev/null", "/proc/meminfo")
}

/// As a container runtime does: another root directory, and the file or variable by which its
/// containers are recognized.
fn inside(program: &str) -> Staged {
    let (file, variable) = match program {
        "docker" => (".dockerenv", None),
        "codespaces" => (".dockerenv", Some("CODESPACES")),
        "podman" => ("run/.containerenv", None),
        "kubernetes" => ("run/none", Some("KUBERNETES_SERVICE_HOST")),
        unknown => panic!("no container runtime `{unknown}`"),
    };
    for (other, value) in
        [variable.map(|name| (name, "true")), Some(("container", ""))].into_iter().flatten()
    {
        // SAFETY: there is one thread, and no pointer into the environment is kept.
        unsafe { std::env::set_var(other, value) };
    }
    with_own_mounts(|| {
        in_a_new_root(|root| {
            fs::create_dir(format!("{root}/tmp")).map_err(because("mkdir"))?;
            fs::write(format!("{root}/{file}"), "").map_err(because(file))
        })
    })
}

/// A new root directory that shows all of the old one, except for an empty `/run` and no `/tmp`.
fn in_a_new_root(complete: impl FnOnce(&str) -> Staged) -> Staged {
    mount_new("tmpfs", FOLDER, "")?;
    for entry in fs::read_dir("/").map_err(because("/"))?.flatten() {
        let (from, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let (from, to) = (from.to_string_lossy(), format!("{FOLDER}/{name}"));
        match entry.file_type().map_err(because(&from))? {
            link if link.is_symlink() => {
                let target = fs::read_link(&*from).map_err(because(&from))?;
                symlink(target, to).map_err(because("symlink"))?;
            }
            folder if folder.is_dir() && from != FOLDER => {
                fs::create_dir(&to).map_err(because(&to))?;
                if name != "run" {
                    bind(&from, &to)?;
                }
            }
            _ => {}
        }
    }
    complete(FOLDER)?;
    chdir(FOLDER).map_err(because("chdir()"))?;
    pivot_root(".", ".").map_err(because("pivot_root()"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(because("umount2()"))?;
    chdir("/").map_err(because("chdir()"))
}

/// A hard limit, for a process that may not raise it again: CAP_SYS_RESOURCE counts only in the first
/// user namespace.
fn ulimit(name: &str, most: &str) -> Staged {
    let limits = [
        ("NPROC", Resource::RLIMIT_NPROC),
        ("AS", Resource::RLIMIT_AS),
        ("DATA", Resource::RLIMIT_DATA),
        ("CPU", Resource::RLIMIT_CPU),
        ("FSIZE", Resource::RLIMIT_FSIZE),
        ("NOFILE", Resource::RLIMIT_NOFILE),
        ("MSGQUEUE", Resource::RLIMIT_MSGQUEUE),
    ];
    let found = limits.iter().find(|(known, _)| *known == name);
    let (_, resource) = found.unwrap_or_else(|| panic!("no limit `{name}`"));
    let most = most.parse().unwrap_or_else(|_| panic!("`{most}` is no limit"));
    own(CloneFlags::empty())?;
    setrlimit(*resource, most, most).map_err(because("setrlimit()"))
}

/// As many descriptors open as the limit allows, except for a few that this process needs.
fn use_descriptors() -> Staged {
    const MOST: u64 = 300;
    own(CloneFlags::empty())?;
    setrlimit(Resource::RLIMIT_NOFILE, MOST, MOST).map_err(because("setrlimit()"))?;
    // SAFETY: duplicates standard error; nothing owns the copies, which stay open.
    while unsafe { libc::dup(2) } >= 0 {}
    // SAFETY: nothing owns these descriptors.
    (MOST - 5..MOST).for_each(|fd| _ = unsafe { libc::close(fd as i32) });
    Ok(())
}

/// Nothing is hidden from a process with CAP_SYS_PTRACE, nor from one in the group 0.
fn hide_processes(option: &str) -> Staged {
    if Uid::effective().is_root() {
        // Root of a user namespace may be refused. Whether processes are hidden is seen below.
        _ = setgroups(&[]);
        let other = Gid::from_raw(65534);
        _ = setresgid(other, other, other);
    }
    with_own_pids(|| {
        mount_new("proc", "/proc", option)?;
        lose(CAP_SYS_PTRACE)?;
        match is_hidden(|| _ = nix::sys::prctl::set_dumpable(false))? {
            true => Ok(()),
            false => Err("this process is in the group 0, from which hidepid hides nothing".into()),
        }
    })
}

/// Whether `/proc` hides a child that has done this.
fn is_hidden(work: impl FnOnce()) -> Result<bool, String> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(because("fork()"))? {
        ForkResult::Child => {
            work();
            _ = raise(Signal::SIGSTOP);
            exit(0)
        }
        ForkResult::Parent { child } => {
            _ = waitpid(child, Some(WaitPidFlag::WUNTRACED));
            let status = fs::read(format!("/proc/{child}/status"));
            kill(child, Signal::SIGKILL).map_err(because("kill()"))?;
            _ = waitpid(child, None);
            Ok(status.is_err())
        }
    }
}

/// A PID namespace with so few pids that a sandbox can be made, and no crowd in it.
fn few_pids() -> Staged {
    const MOST: i32 = 340;
    if !kernel::pid_max_is_of_a_namespace() {
        return Err("it needs Linux 6.14, where each PID namespace has a pid_max".into());
    }
    with_own_pids(|| {
        mount_new("proc", "/proc", "")?;
        let file = "/proc/sys/kernel/pid_max";
        fs::write(file, MOST.to_string()).map_err(because(file))?;
        if fs::read_to_string("/proc/self/status").is_err() {
            return Err("this process is not in its own /proc".into());
        }
        // The pids below 300 are given only once (RESERVED_PIDS, kernel/pid.c).
        (0..MOST).try_for_each(|_| in_child(|| 0).map(drop))
    })
}

/// On a second mount over the first, because the flags of an inherited mount are locked.
fn read_only_proc() -> Staged {
    bind("/proc", "/proc")?;
    // Usually /proc has these three, which are locked as well.
    let locked = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | locked;
    mount(None::<&str>, "/proc", None::<&str>, flags, None::<&str>).map_err(because("remount"))
}

/// A chroot is recognized by its folder, which is no mount point. With `mounted` it is one.
fn in_a_chroot(mounted: bool) -> Staged {
    mount_new("tmpfs", FOLDER, "")?;
    let root = format!("{FOLDER}/root");
    fs::create_dir(&root).map_err(because("mkdir"))?;
    if mounted {
        mount_new("tmpfs", &root, "")?;
    }
    for folder in ["/proc", "/dev", "/tmp", "/usr"] {
        fs::create_dir(format!("{root}{folder}")).map_err(because("mkdir"))?;
    }
    for folder in ["/proc", "/dev", "/usr"] {
        bind(folder, &format!("{root}{folder}"))?;
    }
    for (link, target) in [("lib", "usr/lib"), ("lib64", "usr/lib64")] {
        symlink(target, format!("{root}/{link}")).map_err(because("symlink"))?;
    }
    chroot(root.as_str()).map_err(because("chroot()"))?;
    chdir("/").map_err(because("chdir()"))
}

/// Root of a user namespace that lacks a capability, also after an exec (capabilities(7)).
fn without_capability(number: u32) -> Staged {
    own(CloneFlags::empty())?;
    lose(number)
}

const CAP_SYS_PTRACE: u32 = 19;

fn lose(number: u32) -> Staged {
    // SAFETY: takes integers.
    let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, number, 0, 0, 0) };
    nix::errno::Errno::result(dropped).map_err(because("prctl(PR_CAPBSET_DROP)"))?;
    lower(number).map_err(because("capset()"))
}

/// Removes a capability from the sets of this process, which does not execute anything first.
fn lower(number: u32) -> nix::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[derive(Clone, Copy, Default)]
    #[repr(C)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    // _LINUX_CAPABILITY_VERSION_3 of linux/capability.h, with two sets of 32 bits.
    let mut header = Header { version: 0x2008_0522, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: the kernel writes two sets for this version.
    let got = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, &raw mut sets) };
    nix::errno::Errno::result(got)?;
    let (half, bit) = (&mut sets[number as usize / 32], 1 << (number % 32));
    for set in [&mut half.effective, &mut half.permitted, &mut half.inheritable] {
        *set &= !bit;
    }
    // SAFETY: the kernel reads a header and two sets.
    let set = unsafe { libc::syscall(libc::SYS_capset, &raw const header, &raw const sets) };
    nix::errno::Errno::result(set).map(drop)
}
