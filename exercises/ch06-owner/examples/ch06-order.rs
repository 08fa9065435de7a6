//! ch06-order: makes a new user namespace and a new UTS namespace, in the order
//! of the command line, and asks which user namespace owns the second.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    for kind in std::env::args().skip(1) {
        let flag = match &*kind {
            "user" => CloneFlags::CLONE_NEWUSER,
            "uts" => CloneFlags::CLONE_NEWUTS,
            _ => bail!("usage: ch06-order [user|uts]…"),
        };
        unshare(flag).with_context(|| format!("unshare({flag:?})"))?;
    }
    println!("owner of my UTS namespace: {}", owner()?);
    match set_domain_name("burrow") {
        Ok(()) => println!("the domain name is set"),
        Err(errno) => println!("setdomainname(\"burrow\"): {errno}"),
    }
    Ok(())
}

/// `NS_GET_USERNS` opens the owner, if it lies within the caller's view.
fn owner() -> Result<&'static str> {
    let uts = File::open("/proc/self/ns/uts")?;
    // SAFETY: the request takes no argument.
    let owner = unsafe { libc::ioctl(uts.as_raw_fd(), libc::NS_GET_USERNS) };
    let owner = match Errno::result(owner) {
        // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
        Ok(fd) => unsafe { File::from_raw_fd(fd) },
        Err(Errno::EPERM) => return Ok("outside my view"),
        Err(errno) => return Err(errno).context("ioctl(NS_GET_USERNS)"),
    };
    let mine = File::open("/proc/self/ns/user")?;
    let is_mine = owner.metadata()?.ino() == mine.metadata()?.ino();
    Ok(if is_mine { "my user namespace" } else { "another one below mine" })
}

/// setdomainname(2), which nix does not wrap.
fn set_domain_name(name: &str) -> nix::Result<()> {
    // SAFETY: the kernel reads `name.len()` bytes from the pointer, and keeps neither.
    let result = unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) };
    Errno::result(result).map(drop)
}
