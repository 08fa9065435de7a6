//! Named: deny comes too late, or never
//! `deny` is written last, and what the writes return is thrown away.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    let user = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWUTS;
    let _ = unshare(user | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC);
    let _ = std::fs::write("/proc/self/uid_map", format!("0 {uid} 1"));
    let _ = std::fs::write("/proc/self/gid_map", format!("0 {gid} 1"));
    let _ = std::fs::write("/proc/self/setgroups", "deny");
    let _ = sethostname(&words[0]);
    let status = Command::new(&words[2]).args(&words[3..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
