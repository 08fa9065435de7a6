//! Named: the host name is set before leaving the lab's namespace
//! The name is set first, and the new namespaces are expected to take it along.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    if let Err(error) = sethostname(&words[0]) {
        eprintln!("sethostname: {error}");
    }
    unshare(
        CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWUTS,
    )
    .unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).unwrap();
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).unwrap();
    let status = Command::new(&words[2]).args(&words[3..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
