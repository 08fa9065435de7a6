//! Named: setgroups(2) is called although it is denied
//! After the maps come the three lines that every daemon has: setgroups, setgid, setuid.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getgid, getuid, setgid, setgroups, sethostname, setuid};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    unshare(
        CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET,
    )?;
    std::fs::write("/proc/self/setgroups", "deny").context("deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).context("uid_map")?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).context("gid_map")?;
    sethostname(&words[0]).context("sethostname")?;
    setgroups(&[]).context("setgroups")?;
    setgid(Gid::from_raw(0)).context("setgid")?;
    setuid(Uid::from_raw(0)).context("setuid")?;
    let status = Command::new(&words[2]).args(&words[3..]).status().context("execve")?;
    std::process::exit(status.code().unwrap_or(1));
}
