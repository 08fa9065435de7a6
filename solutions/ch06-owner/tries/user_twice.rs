//! Named: a second user namespace
//! Points at: unshare(CLONE_NEWUSER*
//! First what chapter 5 had, and then all that this one asks for, with the user namespace once more.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).context("unshare")?;
    std::fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("uid_map")?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("gid_map")?;
    let kinds = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | kinds).context("unshare")?;
    sethostname(&words[0]).context("sethostname")?;
    let status = Command::new(&words[2]).args(&words[3..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
