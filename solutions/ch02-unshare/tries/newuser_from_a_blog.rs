//! Named: the user namespace is new as well
//! The flags are copied from a text for ordinary users, who need a user namespace first.

use std::process::Command;

use anyhow::Context;
use nix::sched::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWUTS).context("unshare")?;
    nix::unistd::sethostname(&args[1]).context("sethostname")?;
    let status = Command::new(&args[3]).args(&args[4..]).status().context("spawn")?;
    std::process::exit(status.code().unwrap_or(128));
}
