//! Named: the fields of the map are swapped
//! Points at: write(*uid_map*
//! "My id becomes 0", written in that order. For root it works.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    let kinds = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | kinds).context("unshare")?;
    std::fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} 0 1")).context("uid_map")?;
    std::fs::write("/proc/self/gid_map", format!("{gid} 0 1")).context("gid_map")?;
    sethostname(&words[0]).context("sethostname")?;
    let status = Command::new(&words[2]).args(&words[3..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
