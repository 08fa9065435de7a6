//! Named: setgroups is not denied first
//! Points at: write(gid_map*
//! The three files are written in alphabetical order, and no result is looked at.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let uid = geteuid();
    let gid = getegid();
    if let Err(e) = unshare(CloneFlags::CLONE_NEWUSER) {
        eprintln!("unshare: {e}");
        exit(1);
    }
    let _ = std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1]));
    let _ = std::fs::write("/proc/self/setgroups", "deny");
    let _ = std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0]));
    let status = Command::new(&words[3]).args(&words[4..]).status();
    match status {
        Ok(status) => exit(status.code().unwrap_or(128)),
        Err(_) => exit(127),
    }
}
