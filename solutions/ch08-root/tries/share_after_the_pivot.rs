//! Named: SHARE is looked up in the new root
//! Points at: mount(*share*
//! The root is changed first, and SHARE is bound afterwards by a path of the old tree.

use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).context("private")?;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(root), root, NONE, bind, NONE).context("bind root")?;
    let proc = format!("{root}/proc");
    mount(Some("/proc"), proc.as_str(), NONE, bind, NONE).context("bind proc")?;
    chdir(root).context("chdir")?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2")?;
    chdir("/").context("chdir")?;
    mount(Some(words[1].as_str()), "/share", NONE, bind, NONE).context("bind share")?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NONE, "/share", NONE, flags | MsFlags::MS_NOSUID | MsFlags::MS_NODEV, NONE)
        .context("remount share")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
