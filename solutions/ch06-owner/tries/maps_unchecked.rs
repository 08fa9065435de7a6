//! Named: a refused map is ignored
//! Points at: write(*uid_map*
//! What the three writes return is thrown away; they work, after all.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | owned).context("unshare")?;
    _ = std::fs::write("/proc/self/setgroups", "deny");
    _ = std::fs::write("/proc/self/uid_map", format!("0 {uid} 1"));
    _ = std::fs::write("/proc/self/gid_map", format!("0 {gid} 1"));
    sethostname(&words[0]).context("sethostname")?;
    let status = Command::new(&words[2]).args(&words[3..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
