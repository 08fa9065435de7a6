//! Named: other ids are mapped than those asked for
//! Points at: write(uid_map*
//! 0 is written into both maps, as in all examples, and the two arguments are forgotten.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let (uid, gid) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).expect("unshare");
    std::fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).expect("uid_map");
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).expect("gid_map");
    let status = Command::new(&words[4]).args(&words[5..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
