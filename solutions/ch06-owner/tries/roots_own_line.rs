//! Named: an id outside that is not yours
//! Points at: write(*uid_map*
//! The author has tried it as root, and 0 is root's id, inside and outside.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let kinds = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | kinds).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", "0 0 1").unwrap();
    std::fs::write("/proc/self/gid_map", "0 0 1").unwrap();
    nix::unistd::sethostname(&words[0]).unwrap();
    let status = Command::new(&words[2]).args(&words[3..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
