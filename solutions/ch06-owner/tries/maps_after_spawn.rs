//! Named: COMMAND is executed before its ids are mapped
//! Points at: execve(*
//! The maps are written as in chapter 5, when the child is there.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | owned).context("unshare")?;
    sethostname(&words[0]).context("sethostname")?;
    let mut child = Command::new(&words[2]).args(&words[3..]).spawn().context("execve")?;
    std::fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("uid_map")?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("gid_map")?;
    std::process::exit(child.wait()?.code().unwrap_or(1));
}
