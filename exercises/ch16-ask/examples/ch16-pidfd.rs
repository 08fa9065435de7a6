//! ch16-pidfd: a namespace that is asked of a pidfd, and the argument that the request refuses.

use std::fs::{self, File};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use nix::errno::Errno;

/// `include/uapi/linux/pidfd.h`
const PIDFD_GET_UTS_NAMESPACE: libc::Ioctl = 0xFF0A;

fn main() -> Result<()> {
    // SAFETY: pidfd_open takes two integers, and nothing else owns what it returns.
    let process = unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, std::process::id(), 0);
        OwnedFd::from_raw_fd(Errno::result(fd).context("pidfd_open()")? as i32)
    };
    // SAFETY: the argument has to be 0.
    let found = unsafe { libc::ioctl(process.as_raw_fd(), PIDFD_GET_UTS_NAMESPACE, 0) };
    let found = Errno::result(found).context("ioctl(PIDFD_GET_UTS_NAMESPACE, 0)")?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let found = File::from(unsafe { OwnedFd::from_raw_fd(found) });
    println!("by the pidfd: {}", link(&format!("fd/{}", found.as_raw_fd()))?);
    println!("by /proc: {}", link("ns/uts")?);

    // SAFETY: the kernel looks at the argument as a number and refuses it.
    unsafe { libc::ioctl(process.as_raw_fd(), PIDFD_GET_UTS_NAMESPACE, 1) };
    println!("with an argument of 1: {:?}", Errno::last());
    Ok(())
}

fn link(name: &str) -> Result<String> {
    let link = fs::read_link(format!("/proc/self/{name}")).context("readlink()")?;
    Ok(link.display().to_string())
}
