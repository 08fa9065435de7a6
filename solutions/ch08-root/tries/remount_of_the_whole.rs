//! Named: the remount is one of the file system
//! Points at: mount(*MS_REMOUNT*
//! `mount -o remount,ro` is translated into MS_REMOUNT | MS_RDONLY.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = PathBuf::from(&words[0]);
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_PRIVATE | MsFlags::MS_REC, NONE)?;
    mount(Some(&root), &root, NONE, bind, NONE).context("root")?;
    mount(Some("/proc"), &root.join("proc"), NONE, bind, NONE).context("proc")?;
    mount(Some(words[1].as_str()), &root.join("share"), NONE, bind, NONE).context("share")?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(NONE, &root.join("share"), NONE, flags, NONE).context("read-only")?;
    chdir(&root)?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
