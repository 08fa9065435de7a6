//! ch16-mounts: how many mounts another process's mount namespace has more than this one.

use std::env;
use std::fs::File;
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};
use libc::{NS_GET_MNTNS_ID, NS_MNT_GET_INFO, mnt_ns_info};
use nix::errno::Errno;

fn main() -> Result<()> {
    let pid = env::args().nth(1).context("usage: ch16-mounts PID")?;
    let (mine, other) = (info("self")?, info(&pid)?);
    println!("the other has {} mount more", other.nr_mounts - mine.nr_mounts);
    println!("NS_GET_MNTNS_ID returns the same id: {}", id("self")? == mine.mnt_ns_id);
    Ok(())
}

fn info(pid: &str) -> Result<mnt_ns_info> {
    let namespace = File::open(format!("/proc/{pid}/ns/mnt")).context("open()")?;
    let mut info = mnt_ns_info { size: 0, nr_mounts: 0, mnt_ns_id: 0 };
    // SAFETY: the request writes one of these.
    let asked = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_MNT_GET_INFO, &raw mut info) };
    Errno::result(asked).context("ioctl(NS_MNT_GET_INFO)")?;
    Ok(info)
}

fn id(pid: &str) -> Result<u64> {
    let namespace = File::open(format!("/proc/{pid}/ns/mnt")).context("open()")?;
    let mut id = 0u64;
    // SAFETY: the request writes 64 bits.
    let asked = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_MNTNS_ID, &raw mut id) };
    Errno::result(asked).context("ioctl(NS_GET_MNTNS_ID)")?;
    Ok(id)
}
