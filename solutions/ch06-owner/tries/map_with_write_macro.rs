//! Named: a map in several writes
//! Points at: write(uid_map*
//! `write!` into a File that has no buffer makes a system call for each piece.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    unshare(
        CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC,
    )
    .expect("unshare");
    let open = |name: &str| OpenOptions::new().write(true).open(format!("/proc/self/{name}"));
    write!(open("setgroups").expect("open"), "deny").expect("setgroups");
    write!(open("uid_map").expect("open"), "{} {uid} {}", 0, 1).expect("uid_map");
    write!(open("gid_map").expect("open"), "{} {gid} {}", 0, 1).expect("gid_map");
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
