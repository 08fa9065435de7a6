//! ch16-again: makes UTS namespaces until a number comes back, and compares their ids.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

/// `_IOR(0xb7, 13, __u64)` (`include/uapi/linux/nsfs.h`)
const NS_GET_ID: libc::Ioctl = 0x8008_B70D;

fn main() -> Result<()> {
    let mut ids = HashMap::new();
    loop {
        unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
        let namespace = File::open("/proc/self/ns/uts").context("open()")?;
        let mut id = 0u64;
        // SAFETY: the request writes 64 bits.
        let asked = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_ID, &raw mut id) };
        Errno::result(asked).context("ioctl(NS_GET_ID)")?;
        if let Some(earlier) = ids.insert(namespace.metadata()?.ino(), id) {
            println!("the same number, and the same id: {}", earlier == id);
            return Ok(());
        }
    }
}
