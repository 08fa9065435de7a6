//! Named: an id is asked for that is not mapped
//! Points at: write(uid_map)
//! A user namespace is made, and setuid(2) is expected to give the ids in it.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, setgid, setuid};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let uid: u32 = words[0].parse()?;
    let gid: u32 = words[1].parse()?;
    unshare(CloneFlags::CLONE_NEWUSER).context("unshare")?;
    setgid(Gid::from_raw(gid)).context("setgid")?;
    setuid(Uid::from_raw(uid)).context("setuid")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
