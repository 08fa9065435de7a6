//! ch12-held: a socket is all that is left of a network namespace, and leads back into it.

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};

/// Of `linux/sockios.h`. The libc crate does not have it.
const SIOCGSKNS: u32 = 0x894c;

fn main() -> Result<()> {
    let lab = File::open("/proc/thread-self/ns/net").context("open(ns/net)")?;
    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    let held = UdpSocket::bind("127.0.0.1:80").context("bind(127.0.0.1:80)")?;
    setns(lab, CloneFlags::CLONE_NEWNET).context("setns(CLONE_NEWNET)")?;

    // No process is in there any more, and nothing but the socket refers to it.
    println!("in the lab: {}", port_80());
    // SAFETY: the call takes two integers and returns a new descriptor.
    let network = unsafe { libc::ioctl(held.as_raw_fd(), SIOCGSKNS as _) };
    let network = Errno::result(network).context("ioctl(SIOCGSKNS)")?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let network = unsafe { OwnedFd::from_raw_fd(network) };
    setns(network, CloneFlags::CLONE_NEWNET).context("setns(CLONE_NEWNET)")?;
    println!("through the socket: {}", port_80());
    Ok(())
}

fn port_80() -> String {
    let bound = UdpSocket::bind("127.0.0.1:80");
    bound.map_or_else(|error| error.to_string(), |_| "port 80 is free".to_owned())
}
