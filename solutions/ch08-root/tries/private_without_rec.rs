//! Named: only the mount on / is changed
//! MS_PRIVATE on `/`, without MS_REC.

use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    let nothing = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(Some("none"), "/", nothing, MsFlags::MS_PRIVATE, nothing).context("private")?;
    mount(Some(root), root, nothing, MsFlags::MS_BIND | MsFlags::MS_REC, nothing)
        .context("bind")?;
    chdir(root).context("chdir")?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
