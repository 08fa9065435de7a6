//! The system calls that nix does not wrap.
//!
//! Most functions are one call, return what the kernel returned, and name the man page. The newest
//! of those calls came with Linux 5.12, and each caller has a fallback.

use std::ffi::{CStr, c_int, c_long, c_uint};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout};

use crate::env;

/// A number of the C library that has 32 bits on some architectures.
pub(crate) fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}

/// The errno behind an error of the standard library; `EIO` for one that no call has given.
pub(crate) fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// The timeout of poll(2) that is no shorter than `patience`.
pub(crate) fn poll_timeout(patience: Duration) -> PollTimeout {
    PollTimeout::try_from(patience.as_nanos().div_ceil(1_000_000)).unwrap_or(PollTimeout::MAX)
}

/// Waits until `fd` is readable or has reached its end; `false` if neither within `patience`.
///
/// # Errors
///
/// Those of poll(2), such as `EINTR`.
pub(crate) fn await_readable(fd: impl AsFd, patience: Duration) -> Result<bool> {
    let ready = poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], poll_timeout(patience))?;
    Ok(ready > 0)
}

/// What [`fork_into`] returns, once in each process.
pub(crate) enum Fork {
    Child,
    Parent { pid: Pid, pidfd: OwnedFd },
}

// ANCHOR: fork
/// fork(2) into new namespaces: clone(2) without a stack, with a descriptor for the child.
///
/// `flags` are `CLONE_NEW*` and `CLONE_PARENT`. `CLONE_NEWTIME` is not among them: its bit belongs
/// to the exit signal here, and the kernel ignores it.
///
/// # Safety
///
/// As for fork(2): in a process with several threads the child may only make async-signal-safe
/// calls. The sandbox forks in single-threaded processes only.
pub(crate) unsafe fn fork_into(flags: c_int) -> Result<Fork> {
    let mut pidfd: RawFd = -1;
    let flags = c_long::from(flags | libc::CLONE_PIDFD | libc::SIGCHLD);
    // SAFETY: without a stack the child runs on a copy of this one; the kernel writes one int to
    // `pidfd`. The order of the last two arguments depends on the architecture, and both are zero.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) };
    match Errno::result(pid)? {
        0 => Ok(Fork::Child),
        pid => {
            // SAFETY: the kernel has just made this descriptor, and it has no other owner.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Fork::Parent { pid: Pid::from_raw(pid as i32), pidfd })
        }
    }
}
// ANCHOR_END: fork

/// Moves a new process to another processor, if there is one (sched_setaffinity(2)), and lets it
/// run anywhere again. Otherwise it may stay on its parent's processor and wait until the parent
/// sleeps, while other processors are idle (seen on Linux 6.18). A failure only costs time, so it
/// is ignored.
pub(crate) fn move_away(pid: Pid) {
    let Ok(anywhere) = sched_getaffinity(pid) else { return };
    let mut elsewhere = anywhere;
    let moved = sched_getcpu()
        .and_then(|here| elsewhere.unset(here))
        .and_then(|()| sched_setaffinity(pid, &elsewhere));
    if moved.is_ok() {
        _ = sched_setaffinity(pid, &anywhere);
    }
}

/// CLOCK_BOOTTIME of clock_gettime(2).
pub(crate) fn since_boot() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec. The clock exists, so the call does not fail.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// pidfd_open(2), Linux 5.3.
pub(crate) fn pidfd_open(pid: Pid) -> Result<OwnedFd> {
    // SAFETY: takes two integers, returns a new descriptor.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    // SAFETY: the kernel has just made this descriptor, and it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// pidfd_getfd(2): a copy of a descriptor of another process, Linux 5.6. It takes the right to trace it.
pub(crate) fn pidfd_getfd(pidfd: BorrowedFd, descriptor: RawFd) -> Result<OwnedFd> {
    // SAFETY: the call takes three integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), descriptor, 0) };
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Errno::result(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// pidfd_send_signal(2), Linux 5.1.
pub(crate) fn pidfd_send_signal(pidfd: BorrowedFd, signal: Signal) -> Result<()> {
    let (fd, signal) = (pidfd.as_raw_fd(), signal as c_int);
    // SAFETY: without a siginfo the kernel makes the one that kill(2) sends.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, 0, 0) };
    Errno::result(sent).map(drop)
}

/// Sends a signal with a value, as sigqueue(3) does. The value is an integer.
pub(crate) fn pidfd_send_value(pidfd: BorrowedFd, signal: c_int, value: c_int) -> Result<()> {
    // The start of a siginfo_t for `SI_QUEUE` (`include/uapi/asm-generic/siginfo.h`). The pid and the uid
    // of a sender outside mean nothing inside.
    #[repr(C, align(8))]
    struct Queued {
        number: c_int,
        error: c_int,
        code: c_int,
        sender: [c_int; 3],
        value: u64,
        rest: [u64; 12],
    }
    const { assert!(size_of::<Queued>() == size_of::<libc::siginfo_t>()) };
    let (number, code, value) = (signal, libc::SI_QUEUE, value as u64);
    let info = Queued { number, error: 0, code, sender: [0; 3], value, rest: [0; 12] };
    let fd = pidfd.as_raw_fd();
    // SAFETY: the kernel reads one siginfo_t, which has this size.
    let sent =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, &raw const info, 0) };
    Errno::result(sent).map(drop)
}

/// open_tree(2) with `OPEN_TREE_CLONE`: a detached copy of the mount tree at `path`, Linux 5.2.
pub(crate) fn clone_tree(path: &CStr) -> Result<OwnedFd> {
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as c_uint;
    // SAFETY: `path` is a C string; the kernel returns a new descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) };
    let fd = Errno::result(fd)?;
    // SAFETY: the kernel has just made this descriptor, and it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// move_mount(2): attaches a detached tree at `target`, Linux 5.2.
pub(crate) fn attach_tree(tree: BorrowedFd, target: &CStr) -> Result<()> {
    let (fd, empty) = (tree.as_raw_fd(), c"".as_ptr());
    // SAFETY: two C strings that outlive the call, and integers.
    let moved = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            fd,
            empty,
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    Errno::result(moved).map(drop)
}

/// mount_setattr(2): sets `MOUNT_ATTR_*` for a detached tree and every mount in it, Linux 5.12.
pub(crate) fn lock_tree(tree: BorrowedFd, attributes: u64) -> Result<()> {
    if env::pretends_to_be_old() {
        return Err(Errno::ENOSYS);
    }
    let attributes =
        libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: `attributes` is a mount_attr, and its true size is given.
    let set = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(set).map(drop)
}

/// Closes every open descriptor from `first` on, except those to `keep`.
pub(crate) fn close_from_except(first: RawFd, keep: &[RawFd]) -> Result<()> {
    each_from(first, |fd| {
        if !keep.contains(&fd) {
            // SAFETY: the callers have just started or forked, and use none of these descriptors
            // again.
            unsafe { libc::close(fd) };
        }
    })
}

/// Marks every descriptor from `first` on close-on-exec.
pub(crate) fn close_on_exec_from(first: RawFd) -> Result<()> {
    // SAFETY: this closes no descriptor now, so every owner keeps its own.
    let marked = unsafe {
        libc::syscall(libc::SYS_close_range, first, c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    let marked = if env::pretends_to_be_old() { Err(Errno::EINVAL) } else { Errno::result(marked) };
    match marked {
        // The flag came with Linux 5.11.
        Err(Errno::ENOSYS | Errno::EINVAL) => each_from(first, |fd| {
            // SAFETY: as above.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }),
        result => result.map(drop),
    }
}

/// Calls `act` for each open descriptor from `first` on.
fn each_from(first: RawFd, mut act: impl FnMut(RawFd)) -> Result<()> {
    let listing = std::fs::read_dir("/proc/self/fd");
    let listing = listing.map_err(|error| errno_of(&error))?;
    let numbers = listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // Collected first, so that the descriptor of the listing itself is closed by then.
    let numbers: Vec<RawFd> = numbers.collect();
    numbers.into_iter().filter(|fd| *fd >= first).for_each(&mut act);
    Ok(())
}

/// `PIDFD_GET_*_NAMESPACE`, an ioctl(2) of pidfds since Linux 6.11; `ENOTTY` before.
pub(crate) fn pidfd_namespace(pidfd: BorrowedFd, request: libc::Ioctl) -> Result<OwnedFd> {
    if env::pretends_to_be_old() { Err(Errno::ENOTTY) } else { ioctl_fd(pidfd, request) }
}

/// An ioctl(2) that takes no argument and returns a descriptor, such as those of ioctl_nsfs(2).
pub(crate) fn ioctl_fd(fd: BorrowedFd, request: libc::Ioctl) -> Result<OwnedFd> {
    // SAFETY: these requests read no argument.
    let fd = Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An ioctl(2) that writes a number of 32 bits.
pub(crate) fn ioctl_number(fd: BorrowedFd, request: libc::Ioctl) -> Result<u32> {
    let mut number: u32 = 0;
    // SAFETY: the requests of all callers write 32 bits, the size of `number`.
    Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request, &raw mut number) })?;
    Ok(number)
}

/// Brings the loopback interface of this network namespace up (netdevice(7)).
pub(crate) fn loopback_up() -> nix::Result<()> {
    // SAFETY: makes a socket, which then has one owner.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        OwnedFd::from_raw_fd(Errno::result(fd)?)
    };
    // SAFETY: zero is a valid ifreq.
    let mut lo: libc::ifreq = unsafe { std::mem::zeroed() };
    lo.ifr_name[0] = b'l' as _;
    lo.ifr_name[1] = b'o' as _;
    lo.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as _;
    // SAFETY: SIOCSIFFLAGS reads one ifreq.
    let set = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const lo) };
    match Errno::result(set) {
        // gVisor has brought it up already, and fails.
        Err(Errno::EEXIST) => Ok(()),
        set => set.map(drop),
    }
}

/// Makes these the standard input, output and error of this process (dup2(2)).
pub(crate) fn redirect_stdio(
    stdin: impl AsFd,
    stdout: impl AsFd,
    stderr: impl AsFd,
) -> nix::Result<()> {
    dup2_stdin(stdin)?;
    dup2_stdout(stdout)?;
    dup2_stderr(stderr)
}
