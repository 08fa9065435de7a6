//! Named: a process is still running
//! `spawn` starts COMMAND, and the program ends without waiting for it.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare")?;
    nix::unistd::sethostname(&args[1]).context("sethostname")?;
    Command::new(&args[3]).args(&args[4..]).spawn().context("spawn")?;
    Ok(())
}
