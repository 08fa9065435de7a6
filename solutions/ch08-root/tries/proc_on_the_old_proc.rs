//! Named: /proc is bound on another directory
//! Points at: mount("/proc"*
//! COMMAND is to find it on /proc, so /proc is where it is mounted.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn bind(from: &Path, to: &Path) -> Result<()> {
    mount(Some(from), to, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).context("bind")
}

fn read_only(path: &Path) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_RDONLY;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    mount(NONE, path, NONE, remount, NONE).context("read-only")
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, share) = (Path::new(&words[0]), Path::new(&words[1]));
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).context("private")?;
    bind(root, root)?;
    bind(Path::new("/proc"), Path::new("/proc"))?;
    bind(share, &root.join("share"))?;
    read_only(&root.join("share"))?;
    chdir(root).context("chdir")?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2")?;
    chdir("/").context("chdir")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
