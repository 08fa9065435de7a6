//! Named: the user namespace is new as well
//! The ids are mapped, too, as a guide for containers without root says. Here the program is root.

use std::fs;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let (uid, gid) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    unshare(CloneFlags::CLONE_NEWUTS)?;
    sethostname(&args[1])?;
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
