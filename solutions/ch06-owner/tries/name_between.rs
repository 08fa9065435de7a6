//! Named: the UTS namespace is not yours
//! Points at: unshare(CLONE_NEWUTS) is missing before*
//! Root in the new user namespace sets the name, and only then makes the namespace for it.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER).context("unshare(CLONE_NEWUSER)")?;
    std::fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("uid_map")?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("gid_map")?;
    sethostname(&words[0]).context("sethostname")?;
    unshare(owned).context("unshare")?;
    let status = Command::new(&words[2]).args(&words[3..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
