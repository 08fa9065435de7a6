//! Named: the kernel refuses a request as invalid
//! The wrong one of the four requests, in a program that prints its answer at the end.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use libc::{NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS};
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
    let mut answer = String::new();
    for user in ancestors(own)? {
        answer += &format!("user {} uid {}\n", name(&user)?, creator(&user)?);
    }
    for kind in OWNED {
        // A kind that this kernel does not have has no owner.
        let Some(namespace) = open(pid, &process, kind)? else { continue };
        match owner(&namespace)? {
            Some(owner) => answer += &format!("{} {}\n", kind.0, name(&owner)?),
            None => answer += &format!("{} beyond\n", kind.0),
        }
    }
    print!("{answer}");
    Ok(())
}

/// Returns a user namespace and all above it that this process may see.
fn ancestors(own: OwnedFd) -> Result<Vec<OwnedFd>> {
    let mut all = vec![own];
    loop {
        match ioctl_fd(&all[all.len() - 1], NS_GET_PARENT) {
            Ok(parent) => all.push(parent),
            // The last one is this process's own, or has no parent.
            Err(Errno::EPERM) => return Ok(all),
            Err(errno) => return Err(errno).context("ioctl(NS_GET_PARENT)"),
        }
    }
}

/// Returns the user namespace that owns this one, or `None` if it is beyond what this process may see.
fn owner(namespace: &OwnedFd) -> Result<Option<OwnedFd>> {
    match ioctl_fd(namespace, NS_GET_PARENT) {
        Ok(owner) => Ok(Some(owner)),
        Err(Errno::EPERM) => Ok(None),
        // Any other errno means that the question failed.
        Err(errno) => Err(errno).context("ioctl(NS_GET_USERNS)"),
    }
}

/// Returns the uid that made this user namespace, as seen from this process's own.
fn creator(user: &OwnedFd) -> Result<u32> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: NS_GET_OWNER_UID writes one uid_t.
    let asked = unsafe { libc::ioctl(user.as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) };
    Errno::result(asked).context("ioctl(NS_GET_OWNER_UID)")?;
    Ok(uid)
}

/// Opens the process's namespace of this kind, or returns `None` if the kernel does not have the kind.
fn open(pid: i32, process: &OwnedFd, kind: (&str, libc::Ioctl)) -> Result<Option<OwnedFd>> {
    let (kind, request) = kind;
    match ioctl_fd(process, request) {
        Ok(namespace) => return Ok(Some(namespace)),
        Err(Errno::EOPNOTSUPP) => return Ok(None),
        // Linux before 6.11 does not know this request, but /proc has the namespace.
        Err(Errno::ENOTTY) => {}
        Err(errno) => {
            let kind = kind.to_uppercase();
            return Err(errno).with_context(|| format!("ioctl(PIDFD_GET_{kind}_NAMESPACE)"));
        }
    }
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
