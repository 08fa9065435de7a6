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
use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
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
    let process = pidfd_open(pid)?;
    let own = open(pid, &process, USER)?.context("this kernel has no user namespaces")?;
    for user in ancestors(own)? {
        println!("user {} uid {}", name(&user)?, creator(&user)?);
    }
    for kind in OWNED {
        // A kind that this kernel does not have has no owner.
        let Some(namespace) = open(pid, &process, kind)? else { continue };
        match owner(&namespace)? {
            Some(owner) => println!("{} {}", kind.0, name(&owner)?),
            None => println!("{} beyond", kind.0),
        }
    }
    Ok(())
}

/// Returns a user namespace and all above it that this process may see.
fn ancestors(own: OwnedFd) -> Result<Vec<OwnedFd>> {
    // TODO: add the parent of the last one, until you may not see any further. Man pages: ioctl_ns(2), user_namespaces(7).
    Ok(vec![own])
}

/// Returns the user namespace that owns this one, or `None` if it is beyond what this process may see.
fn owner(namespace: &OwnedFd) -> Result<Option<OwnedFd>> {
    // TODO: request the owner; only EPERM means that it is beyond. Man page: ioctl_ns(2).
    let _ = namespace;
    Ok(None)
}

/// Returns the uid that made this user namespace, as seen from this process's own.
fn creator(user: &OwnedFd) -> Result<u32> {
    // TODO: request the uid of its creator. Man page: ioctl_ns(2).
    let _ = user;
    Ok(0)
}

/// Opens the process's namespace of this kind, or returns `None` if the kernel does not have the kind.
fn open(pid: i32, process: &OwnedFd, kind: (&str, libc::Ioctl)) -> Result<Option<OwnedFd>> {
    // TODO: ask the pidfd first, and go on only if that fails with ENOTTY; EOPNOTSUPP means that there is no such kind. Man pages: pidfd_open(2), ioctl(2).
    let (_, (kind, _)) = (process, kind);
    if !Path::new("/proc/self/ns").join(kind).exists() {
        return Ok(None);
    }
    let path = format!("/proc/{pid}/ns/{kind}");
    let namespace = File::open(&path).with_context(|| format!("open({path:?})"))?;
    Ok(Some(namespace.into()))
}

/// Opens a descriptor that can only mean the process that has this pid now.
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
fn name(user: &OwnedFd) -> Result<String> {
    Ok(format!("user:[{}]", fstat(user).context("fstat()")?.st_ino))
}
