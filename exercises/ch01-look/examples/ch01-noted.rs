//! ch01-noted: the numbers of eight namespaces, and what such a number is worth later.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

const UTS: &str = "/proc/self/ns/uts";

fn main() -> Result<()> {
    let mut devices = BTreeSet::new();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let path = format!("/proc/self/ns/{kind}");
        // stat(2) follows the link.
        let namespace = fs::metadata(&path).with_context(|| format!("stat({path:?})"))?;
        println!("{kind}:[{}]", namespace.ino());
        devices.insert(namespace.dev());
    }
    println!("devices: {}", devices.len());

    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    let noted = fs::metadata(UTS).context("stat(ns/uts)")?;
    println!("noted, and met again: {}", met_again(&noted)?);

    let held = File::open(UTS).context("open(ns/uts)")?;
    println!("held, and met again: {}", met_again(&held.metadata()?)?);
    Ok(())
}

/// Leaves for a thousand new namespaces, one after the other. Whether one of them has these numbers.
fn met_again(old: &Metadata) -> Result<bool> {
    for _ in 0..1000 {
        unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
        let new = fs::metadata(UTS).context("stat(ns/uts)")?;
        if new.dev() == old.dev() && new.ino() == old.ino() {
            return Ok(true);
        }
    }
    Ok(false)
}
