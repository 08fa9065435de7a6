//! Named: nothing
//! The same namespace is asked for its parent again and again.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sys::stat::fstat;

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

fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
        .with_context(|| format!("pidfd_open({pid})"))?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as _) })
}

fn ioctl_fd(fd: &OwnedFd, request: libc::Ioctl) -> nix::Result<OwnedFd> {
    // SAFETY: these requests take no argument. Those for a pidfd require that it be 0.
    let fd = Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn name(user: &OwnedFd) -> Result<String> {
    Ok(format!("user:[{}]", fstat(user).context("fstat()")?.st_ino))
}
fn ask(pid: i32) -> Result<()> {
    let pidfd = pidfd_open(pid)?;
    let user = namespace(&pidfd, pid, USER)?.context("no user namespaces")?;
    println!("user {} uid {}", name(&user)?, owner_uid(&user)?);
    while let Ok(parent) = ioctl_fd(&user, GET_PARENT) {
        println!("user {} uid {}", name(&parent)?, owner_uid(&parent)?);
    }
    for line in owners(&pidfd, pid)? {
        println!("{line}");
    }
    Ok(())
}

const GET_USERNS: libc::Ioctl = 0xb701;
const GET_PARENT: libc::Ioctl = 0xb702;
const GET_OWNER: libc::Ioctl = 0xb704;
fn owner_uid(user: &OwnedFd) -> Result<u32> {
    let mut uid = 0u32;
    Errno::result(unsafe { libc::ioctl(user.as_raw_fd(), GET_OWNER, &mut uid) })
        .context("NS_GET_OWNER_UID")?;
    Ok(uid)
}
fn namespace(pidfd: &OwnedFd, pid: i32, kind: (&str, libc::Ioctl)) -> Result<Option<OwnedFd>> {
    match ioctl_fd(pidfd, kind.1) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::EOPNOTSUPP) => Ok(None),
        Err(Errno::ENOTTY | Errno::EINVAL) => {
            match File::open(format!("/proc/{pid}/ns/{}", kind.0)) {
                Ok(file) => Ok(Some(file.into())),
                Err(e)
                    if e.kind() == io::ErrorKind::NotFound
                        && Path::new(&format!("/proc/{pid}/ns")).exists() =>
                {
                    Ok(None)
                }
                Err(e) => Err(e).context("open"),
            }
        }
        Err(e) => Err(e).context("PIDFD_GET"),
    }
}
fn owners(pidfd: &OwnedFd, pid: i32) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for kind in OWNED {
        let Some(fd) = namespace(pidfd, pid, kind)? else { continue };
        match ioctl_fd(&fd, GET_USERNS) {
            Ok(user) => lines.push(format!("{} {}", kind.0, name(&user)?)),
            Err(Errno::EPERM) => lines.push(format!("{} beyond", kind.0)),
            Err(e) => return Err(e).context("NS_GET_USERNS"),
        }
    }
    Ok(lines)
}
