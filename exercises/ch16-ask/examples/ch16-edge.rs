//! ch16-edge: what a process may ask about its own namespaces, or about those of another.

use std::env;
use std::fs::{self, File};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use libc::{NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS};
use nix::errno::Errno;

fn main() -> Result<()> {
    let pid = env::args().nth(1).unwrap_or("self".to_owned());
    for (question, kind, request) in [
        ("owner of the UTS namespace", "uts", NS_GET_USERNS),
        ("owner of the PID namespace", "pid", NS_GET_USERNS),
        ("parent of the user namespace", "user", NS_GET_PARENT),
        ("parent of the PID namespace", "pid", NS_GET_PARENT),
        ("parent of the UTS namespace", "uts", NS_GET_PARENT),
        ("creator of the UTS namespace", "uts", NS_GET_OWNER_UID),
    ] {
        println!("{question}: {}", answer(&pid, kind, request)?);
    }
    Ok(())
}

/// The name of the namespace that the kernel answers with, or its errno.
fn answer(pid: &str, kind: &str, request: libc::Ioctl) -> Result<String> {
    let namespace = File::open(format!("/proc/{pid}/ns/{kind}")).context("open()")?;
    let mut uid: libc::uid_t = 0;
    // SAFETY: one of these requests writes a uid, and the others ignore the pointer.
    let found = unsafe { libc::ioctl(namespace.as_raw_fd(), request, &raw mut uid) };
    if found < 0 {
        return Ok(format!("{:?}", Errno::last()));
    }
    // SAFETY: only a request for a descriptor succeeds for these kinds, and nothing else owns it.
    let found = unsafe { OwnedFd::from_raw_fd(found) };
    let link =
        fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd())).context("readlink()")?;
    Ok(link.display().to_string())
}
