//! Named: nothing
//! Points at: write(*setgroups*
//! `allow` is written after `deny`, so that the groups can be set afterwards.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0]))?;
    std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1]))?;
    std::fs::write("/proc/self/setgroups", "allow")?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
