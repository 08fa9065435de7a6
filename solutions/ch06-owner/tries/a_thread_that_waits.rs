//! Named: another thread is already running
//! Points at: unshare(*
//! A thread is started for the timeouts of later, before the process has left.

use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::thread::spawn(|| std::thread::sleep(Duration::from_secs(600)));
    let (uid, gid) = (getuid(), getgid());
    let all = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    unshare(all).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).unwrap();
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).unwrap();
    sethostname(&words[0]).unwrap();
    let status = Command::new(&words[2]).args(&words[3..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
