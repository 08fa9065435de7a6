//! Named: the lab's mounts are changed instead of the copies
//! The propagation is changed first, and then the namespace is left.

use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).context("make-rslave")?;
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(Some("none"), words[0].as_str(), Some("tmpfs"), MsFlags::empty(), NONE)
        .context("tmpfs")?;
    std::fs::write(format!("{}/token", words[0]), &words[1]).context("token")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
