//! ch16-ask: the user namespaces above a process, and who owns what.
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

/// Prints the process's user namespace and all above it, then who owns its other namespaces.
fn ask(pid: i32) -> Result<()> {
    let process = pidfd_open(pid)?;
    let own = open(pid, &process, USER)?.context("this kernel has no user namespaces")?;
    for user in from_here_up(own)? {
        println!("user {} uid {}", name(&user)?, creator(&user)?);
    }
    for kind in OWNED {
        // What this kernel does not have, nobody owns.
        let Some(namespace) = open(pid, &process, kind)? else { continue };
        match owner(&namespace)? {
            Some(owner) => println!("{} {}", kind.0, name(&owner)?),
            None => println!("{} beyond", kind.0),
        }
    }
    Ok(())
}

/// A user namespace, and all above it that we may see.
fn from_here_up(own: OwnedFd) -> Result<Vec<OwnedFd>> {
    // TODO: add the parent of the last one, until you may see no more. Man pages: ioctl_ns(2), user_namespaces(7).
    Ok(vec![own])
}

/// The user namespace that owns this one; `None` where it is beyond what we may see.
fn owner(namespace: &OwnedFd) -> Result<Option<OwnedFd>> {
    // TODO: ask for the owner; only EPERM means that it is beyond. Man page: ioctl_ns(2).
    let _ = namespace;
    Ok(None)
}

/// The uid that made this user namespace, as it is called in ours.
fn creator(user: &OwnedFd) -> Result<u32> {
    // TODO: ask for the uid of its creator. Man page: ioctl_ns(2).
    let _ = user;
    Ok(0)
}

/// A process's namespace of this kind; `None` where this kernel has no such kind.
fn open(pid: i32, process: &OwnedFd, kind: (&str, libc::Ioctl)) -> Result<Option<OwnedFd>> {
    // TODO: ask the pidfd, and go on here only if its answer is ENOTTY; EOPNOTSUPP means that there is no such kind. Man pages: pidfd_open(2), ioctl(2).
    let (_, (kind, _)) = (process, kind);
    if !Path::new("/proc/self/ns").join(kind).exists() {
        return Ok(None);
    }
    let path = format!("/proc/{pid}/ns/{kind}");
    let namespace = File::open(&path).with_context(|| format!("open({path:?})"))?;
    Ok(Some(namespace.into()))
}

/// A descriptor that means the process with this pid, and no later one: pidfd_open(2).
fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    // SAFETY: takes two integers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
        .with_context(|| format!("pidfd_open({pid})"))?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as _) })
}

/// Asks a question that is answered with a new descriptor.
#[allow(dead_code, reason = "nobody uses it yet")]
fn ioctl_fd(about: &OwnedFd, request: libc::Ioctl) -> nix::Result<OwnedFd> {
    // SAFETY: these requests take no argument. Those of a pidfd want it to be 0.
    let fd = Errno::result(unsafe { libc::ioctl(about.as_raw_fd(), request, 0) })?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// As `/proc/PID/ns` shows it: `user:[4026531837]`.
fn name(user: &OwnedFd) -> Result<String> {
    Ok(format!("user:[{}]", fstat(user).context("fstat()")?.st_ino))
}
