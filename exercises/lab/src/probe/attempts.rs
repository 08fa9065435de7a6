//! What the probes do. Each function tries one thing and leaves nothing behind.

use std::ffi::{c_int, c_void};
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::exit;
use std::ptr::null_mut;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Pid, pause, pivot_root};

use super::child::{Attempt, as_root_of, below, idle};
use crate::helper::limits::{self, PROCESSES};
use crate::helper::refusal::{Refusal, refused};
use crate::helper::{ids, wire};
use crate::look::{Kind, namespaces};
use crate::record::recorder;
use crate::sandbox::{self, cgroups};
use crate::sys::{self, Fork};

/// Covered by a tmpfs, in a mount namespace that ends with the probe, as in the sandbox.
const FOLDER: &str = "/tmp";

pub(super) fn answers() -> Attempt {
    Ok(())
}

/// The limits that every program gets.
pub(super) fn limits() -> Attempt {
    limits::arrange()
}

pub(super) fn user_namespace() -> Attempt {
    idle("namespaces", libc::CLONE_NEWUSER)
}

pub(super) fn maps() -> Attempt {
    as_root_of(0, || Ok(()))
}

fn kind(kind: Kind) -> Attempt {
    as_root_of(0, || {
        let flag = CloneFlags::from_bits_retain(kind.flag());
        unshare(flag).map_err(refused(kind.name(), format!("unshare({})", kind.flag_name())))
    })
}

pub(super) fn uts() -> Attempt {
    kind(Kind::Uts)
}

pub(super) fn ipc() -> Attempt {
    kind(Kind::Ipc)
}

pub(super) fn net() -> Attempt {
    kind(Kind::Net)
}

pub(super) fn mnt() -> Attempt {
    kind(Kind::Mnt)
}

pub(super) fn pid() -> Attempt {
    kind(Kind::Pid)
}

pub(super) fn cgroup() -> Attempt {
    kind(Kind::Cgroup)
}

/// Offsets can only be written until the first process enters (time_namespaces(7)).
pub(super) fn time() -> Attempt {
    as_root_of(0, || {
        let flag = CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
        unshare(flag).map_err(refused("time", "unshare(CLONE_NEWTIME)"))?;
        let written = fs::write("/proc/self/timens_offsets", "monotonic 10 0");
        written.map_err(refused("time", "write(\"/proc/self/timens_offsets\")"))?;
        idle("time", 0)
    })
}

pub(super) fn mounts() -> Attempt {
    as_root_of(libc::CLONE_NEWNS, own_folder)
}

/// Makes all mounts private, covers [`FOLDER`] with a tmpfs and changes to it.
fn own_folder() -> Attempt {
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(refused("mount", "mount(\"/\", MS_REC | MS_PRIVATE)"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), FOLDER, Some("tmpfs"), flags, Some("size=64k"))
        .map_err(refused("mount", format!("mount(\"tmpfs\", \"{FOLDER}\")")))?;
    nix::unistd::chdir(FOLDER).map_err(refused("mount", format!("chdir(\"{FOLDER}\")")))
}

/// A file of this machine shown at another path, by open_tree(2) and move_mount(2).
pub(super) fn show() -> Attempt {
    as_root_of(libc::CLONE_NEWNS, || {
        own_folder()?;
        let tree = null_device("show")?;
        fs::write("null", "").map_err(refused("show", "creat(\"null\")"))?;
        sys::attach_tree(tree.as_fd(), c"null").map_err(refused("show", "move_mount(\"null\")"))
    })
}

fn null_device(at: &str) -> Result<OwnedFd, Refusal> {
    let tree = sys::clone_tree(c"/dev/null");
    tree.map_err(refused(at, "open_tree(\"/dev/null\", OPEN_TREE_CLONE)"))
}

/// A `/proc` of a new PID namespace, whose PID 1 the child is.
pub(super) fn proc() -> Attempt {
    as_root_of(libc::CLONE_NEWNS | libc::CLONE_NEWPID, || {
        own_folder()?;
        fs::create_dir("proc").map_err(refused("proc", "mkdir(\"proc\")"))?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("proc"), "proc", Some("proc"), flags, None::<&str>)
            .map_err(refused("proc", "mount(\"proc\", \"/proc\")"))
    })
}

pub(super) fn loopback() -> Attempt {
    as_root_of(libc::CLONE_NEWNET, || {
        let up = sys::loopback_up();
        up.map_err(refused("network", "ioctl(SIOCSIFFLAGS, \"lo\", IFF_UP)"))
    })
}

pub(super) fn pivot() -> Attempt {
    as_root_of(libc::CLONE_NEWNS, || {
        own_folder()?;
        pivot_root(".", ".").map_err(refused("pivot", "pivot_root(\".\", \".\")"))?;
        umount2(".", MntFlags::MNT_DETACH).map_err(refused("pivot", "umount2(\".\", MNT_DETACH)"))
    })
}

/// A user namespace in a user namespace, where a read-only mount of the first stays read-only
/// (mount_namespaces(7), "Restrictions on mount namespaces").
pub(super) fn second_level() -> Attempt {
    as_root_of(libc::CLONE_NEWNS, || {
        own_folder()?;
        let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        let change = |flags| mount(None::<&str>, FOLDER, None::<&str>, flags, None::<&str>);
        let kept = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        change(read_only | kept)
            .map_err(refused("mount", "mount(MS_REMOUNT | MS_BIND | MS_RDONLY)"))?;
        below("inner", libc::CLONE_NEWNS, || {
            match change(MsFlags::MS_REMOUNT | MsFlags::MS_BIND | kept) {
                Err(_) => Ok(()),
                // There is no errno: the kernel allowed what it should refuse.
                Ok(()) => Err(refused("lock", "mount(MS_REMOUNT | MS_BIND) of a locked mount")(
                    Errno::UnknownErrno,
                )),
            }
        })
    })
}

pub(super) fn host_name() -> Attempt {
    as_root_of(libc::CLONE_NEWUTS, || {
        nix::unistd::sethostname("doctor").map_err(refused("hostname", "sethostname(\"doctor\")"))
    })
}

/// As many processes at once as a sandbox may have. With their PID 1 all of them end.
pub(super) fn processes() -> Attempt {
    /// What a function needs that only waits.
    const STACK: usize = 8 * 1024;
    extern "C" fn wait(_: *mut c_void) -> c_int {
        loop {
            pause();
        }
    }
    as_root_of(libc::CLONE_NEWPID, || {
        // Never freed: a child may not have run yet when this returns. A child that finds no stack gets SIGSEGV,
        // and before Linux 5.16 its core dump ends all processes that share its memory (`zap_threads` in
        // fs/coredump.c), so that this one would end without an answer.
        let stacks = vec![0_u8; STACK * PROCESSES as usize].leak();
        stacks.chunks_exact_mut(STACK).try_for_each(|stack| {
            let top = stack.as_mut_ptr_range().end;
            // With CLONE_VM, because copies of the memory would take most of the time.
            let flags = libc::CLONE_VM | libc::SIGCHLD;
            // SAFETY: each child has a stack of its own, whose end is aligned. It writes to nothing
            // else, and ends with this process, which is its PID 1.
            let pid = unsafe { libc::clone(wait, top.cast(), flags, null_mut()) };
            Errno::result(pid).map(drop).map_err(refused("processes", "clone()"))
        })
    })
}

/// Looks at a process that is not dumpable, as PID 1 of a sandbox is.
pub(super) fn others() -> Attempt {
    let at = "others";
    let (socket, childs) = wire::pair().map_err(refused(at, "socketpair()"))?;
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(0) }.map_err(refused(at, "fork()"))? {
        Fork::Child => {
            drop(socket);
            _ = nix::sys::prctl::set_dumpable(false);
            _ = wire::send(childs.as_fd(), b"ready", &[]);
            // Until the other end is closed.
            _ = wire::receive(childs.as_fd());
            exit(0)
        }
        Fork::Parent { pid, .. } => {
            drop(childs);
            wire::receive(socket.as_fd()).map_err(refused(at, "recvmsg()"))?;
            sandbox::look_at(pid)
        }
    }
}

/// Enters a child's user namespace and, with the capabilities there, its UTS namespace, as the
/// visitor and nsenter(1) do.
pub(super) fn enter() -> Attempt {
    let child = Sleeper::new()?;
    for kind in [Kind::User, Kind::Uts] {
        let path = format!("/proc/{}/ns/{kind}", child.pid);
        let file = fs::File::open(&path).map_err(refused("setns", format!("open({path:?})")))?;
        let flag = CloneFlags::from_bits_retain(kind.flag());
        setns(file, flag).map_err(refused("setns", format!("setns({})", kind.flag_name())))?;
    }
    Ok(())
}

/// setns(2) with a pidfd: all kinds in one call, Linux 5.8.
pub(super) fn enter_by_pidfd() -> Attempt {
    let child = Sleeper::new()?;
    let flags = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWUTS;
    setns(&child.pidfd, flags).map_err(refused("setns_pidfd", "setns(a pidfd)"))
}

/// A child in user and UTS namespaces of its own, with ids mapped. It reads from a socket, and so
/// ends when this is dropped or its parent ends. (A parent-death signal would miss a parent that
/// ends before the child has asked for it.)
struct Sleeper {
    pid: Pid,
    pidfd: OwnedFd,
    _ends_it: OwnedFd,
}

impl Sleeper {
    fn new() -> Result<Sleeper, Refusal> {
        let (socket, childs) = wire::pair().map_err(refused("setns", "socketpair()"))?;
        let call = "clone(CLONE_NEWUSER | CLONE_NEWUTS)";
        let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWUTS;
        // SAFETY: this process has one thread.
        match unsafe { sys::fork_into(flags) }.map_err(refused("namespaces", call))? {
            Fork::Child => {
                drop(socket);
                _ = wire::receive(childs.as_fd());
                exit(0)
            }
            Fork::Parent { pid, pidfd } => {
                let child = Sleeper { pid, pidfd, _ends_it: socket };
                ids::map(pid, [0, 0], ids::host_uid(), ids::host_gid())?;
                Ok(child)
            }
        }
    }
}

/// Traces a child in another user namespace, as the recorder does.
pub(super) fn trace() -> Attempt {
    let child = Sleeper::new()?;
    recorder::attach(child.pid).map_err(refused("ptrace", "ptrace(PTRACE_SEIZE)"))
}

pub(super) fn pidfd() -> Attempt {
    sys::pidfd_open(Pid::this()).map(drop).map_err(refused("pidfd", "pidfd_open()"))
}

pub(super) fn pidfd_namespaces() -> Attempt {
    let pidfd = sys::pidfd_open(Pid::this()).map_err(refused("pidfd", "pidfd_open()"))?;
    let namespace = sys::pidfd_namespace(pidfd.as_fd(), namespaces::pidfd_request(Kind::Uts));
    namespace.map(drop).map_err(refused("pidfd_namespaces", "ioctl(PIDFD_GET_UTS_NAMESPACE)"))
}

/// clone3(2) itself: some seccomp filters answer `ENOSYS`, so that libraries fall back to clone(2).
pub(super) fn clone3() -> Attempt {
    // A clone_args, which the libc crate does not have for each architecture. The fifth is `exit_signal`.
    let mut args = [0_u64; 11];
    args[4] = libc::SIGCHLD as u64;
    // SAFETY: `args` has the size given. Without a stack the child runs on a copy of this one, and
    // this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    match Errno::result(pid) {
        Ok(0) => exit(0),
        other => other.map(drop).map_err(refused("clone3", "clone3()")),
    }
}

/// Flags for a mount and all mounts below it in one call, Linux 5.12.
pub(super) fn mount_setattr() -> Attempt {
    as_root_of(libc::CLONE_NEWNS, || {
        let tree = null_device("show")?;
        sys::lock_tree(tree.as_fd(), libc::MOUNT_ATTR_RDONLY)
            .map_err(refused("mount_setattr", "mount_setattr(MOUNT_ATTR_RDONLY)"))
    })
}

/// A pidfd of the process at the other end of a Unix socket, Linux 6.5.
pub(super) fn peer_pidfd() -> Attempt {
    let at = "peer_pidfd";
    let (socket, _peer) = wire::pair().map_err(refused(at, "socketpair(SOCK_SEQPACKET)"))?;
    let mut fd: c_int = -1;
    let mut length = size_of_val(&fd) as libc::socklen_t;
    // SAFETY: the kernel writes one int to `fd` and its length to `length`.
    let got = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERPIDFD,
            (&raw mut fd).cast(),
            &raw mut length,
        )
    };
    Errno::result(got).map_err(refused(at, "getsockopt(SO_PEERPIDFD)"))?;
    // SAFETY: the kernel has just made this descriptor, and it has no other owner.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });

    let on: c_int = 1;
    let length = size_of_val(&on) as libc::socklen_t;
    // SAFETY: the kernel reads one int.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PASSPIDFD,
            (&raw const on).cast(),
            length,
        )
    };
    Errno::result(set).map(drop).map_err(refused(at, "setsockopt(SO_PASSPIDFD)"))
}

/// A mount of cgroup2 in new cgroup and mount namespaces.
pub(super) fn cgroup_mount() -> Attempt {
    as_root_of(libc::CLONE_NEWCGROUP | libc::CLONE_NEWNS, || {
        own_folder()?;
        cgroups::mount_on(FOLDER)
            .map_err(refused("cgroup_mount", format!("mount(\"cgroup2\", \"{FOLDER}\")")))
    })
}

/// Cgroups into which processes could be moved (cgroups(7), "Delegation").
pub(super) fn own_cgroups() -> Attempt {
    sandbox::has_cgroups()
}

/// Limits in those. If version 1 is mounted too, that has the controllers.
pub(super) fn cgroup_limits() -> Attempt {
    sandbox::has_cgroup_limits()
}
