//! Named: a refused map is ignored
//! All of it is right, but what the writes return is not looked at.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).ok();
    std::fs::write("/proc/self/setgroups", "deny").ok();
    std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0])).ok();
    std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1])).ok();
    match Command::new(&words[3]).args(&words[4..]).status() {
        Ok(status) => {
            let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            std::process::exit(code);
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(127);
        }
    }
}
