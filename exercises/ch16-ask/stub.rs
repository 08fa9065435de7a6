//! ch16-ask: the user namespaces above a process, and which of them own its other namespaces.
//!
//! Usage: `ch16-ask PID`
//!
//! When it is finished (here for a process two user namespaces below the shell's):
//!
//! ```text
//! # ch16-ask $!
//! user user:[4026532003] uid 0
//! user user:[4026532002] uid 0
//! user user:[4026532001] uid 0
//! mnt user:[4026532001]
//! pid beyond
//! net user:[4026532003]
//! uts user:[4026532001]
//! ipc user:[4026532001]
//! cgroup user:[4026532001]
//! time beyond
//! ```
//!
//! Check it with `cargo xtask check ch16`.

use std::ffi::OsString;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sys::stat::fstat;

/// The kinds of namespace, and `PIDFD_GET_*_NAMESPACE` for each (`include/uapi/linux/pidfd.h`).
const USER: (&str, libc::Ioctl) = ("user", 0xFF09);
const OWNED: [(&str, libc::Ioctl); 7] = [
    ("mnt", 0xFF03),
    ("pid", 0xFF05),
    ("net", 0xFF04),
    ("uts", 0xFF0A),
    ("ipc", 0xFF02),
    ("cgroup", 0xFF01),
    ("time", 0xFF07),
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let pid = match words.as_slice() {
        [pid] => pid.to_str().and_then(|pid| pid.parse().ok()),
        _ => None,
    };
    let outcome = match pid {
        Some(pid) => ask(pid),
        None => Err(anyhow!("usage: ch16-ask PID")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch16-ask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the user namespace of the process and all above it, and then the owners of its other
/// namespaces.
fn ask(pid: i32) -> Result<()> {
    // TODO: where do you get a descriptor of each of the process's namespaces, and which errno sends you to
    // another place? Man pages: pidfd_open(2), ioctl(2), proc(5).
    // TODO: how do you get from a user namespace to all above it, and which answer is the end of the way? Man
    // pages: ioctl_ns(2), user_namespaces(7).
    // TODO: which answer means `beyond`, and what do the others mean? Man page: ioctl_ns(2).
    // TODO: which user has made a user namespace, and where does the kernel write that? Man page: ioctl_ns(2).
    _ = (pid, USER, OWNED);
    Ok(())
}

/// Opens a descriptor that can only mean the process that has this pid now.
#[allow(dead_code, reason = "unused until the exercise is solved")]
fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
        .with_context(|| format!("pidfd_open({pid})"))?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as _) })
}

/// Makes an ioctl(2) request that returns a new descriptor.
#[allow(dead_code, reason = "unused until the exercise is solved")]
fn ioctl_fd(fd: &OwnedFd, request: libc::Ioctl) -> nix::Result<OwnedFd> {
    // SAFETY: these requests take no argument. Those for a pidfd require that it be 0.
    let fd = Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The name as `/proc/PID/ns` shows it: `user:[4026531837]`.
#[allow(dead_code, reason = "unused until the exercise is solved")]
fn name(user: &OwnedFd) -> Result<String> {
    Ok(format!("user:[{}]", fstat(user).context("fstat()")?.st_ino))
}
