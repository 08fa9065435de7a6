//! Named: your own ids are read too late
//! Points at: write(uid_map*
//! `getuid` is called where its answer is needed, which is after the new namespace has been made.

use std::process::Command;

use nix::sched::CloneFlags;
use nix::unistd::{getgid, getuid};

fn write_maps(uid: &str, gid: &str) -> std::io::Result<()> {
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {} 1", getuid()))?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {} 1", getgid()))
}

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER)?;
    write_maps(&words[0], &words[1])?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1))
}
