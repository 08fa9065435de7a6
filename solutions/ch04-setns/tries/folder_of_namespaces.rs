//! Named: the descriptor is neither a namespace nor a pidfd
//! The directory with all the links is opened, as if it stood for all of them.

use std::fs::File;
use std::process::{Command, exit};

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let folder = File::open(format!("/proc/{}/ns", args[1])).context("open")?;
    let kinds = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET;
    setns(folder, kinds).context("setns")?;
    let status = Command::new(&args[3]).args(&args[4..]).status().context("exec")?;
    exit(status.code().unwrap_or(1))
}
