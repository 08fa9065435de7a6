//! Named: only a mount below / is changed
//! The new tmpfs is made a slave, and the mount that it is on stays shared.

use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = words[0].as_str();
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>).context("tmpfs")?;
    mount(None::<&str>, dir, None::<&str>, MsFlags::MS_SLAVE, None::<&str>).context("slave")?;
    std::fs::write(format!("{dir}/token"), &words[1]).context("token")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
