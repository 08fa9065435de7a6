//! Named: the fields of the map are swapped
//! Points at: write(*uid_map*
//! The line is read like a bind mount: first the source, which is outside, and then the target.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [uid, gid] = [words[0].clone(), words[1].clone()];
    let (my_uid, my_gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).context("unshare")?;
    std::fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    std::fs::write("/proc/self/uid_map", format!("{my_uid} {uid} 1")).context("uid_map")?;
    std::fs::write("/proc/self/gid_map", format!("{my_gid} {gid} 1")).context("gid_map")?;
    let status = Command::new(&words[3]).args(&words[4..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
