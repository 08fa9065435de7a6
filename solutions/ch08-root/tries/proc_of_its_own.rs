//! Named: a fresh /proc needs a PID namespace
//! Points at: mount(*proc*
//! `mount -t proc` as in every tutorial, without a PID namespace.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(&words[0]);
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).context("private")?;
    mount(Some(root), root, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).context("bind")?;
    mount(Some("proc"), &root.join("proc"), Some("proc"), MsFlags::empty(), NONE)
        .context("proc")?;
    chdir(root).context("chdir")?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
