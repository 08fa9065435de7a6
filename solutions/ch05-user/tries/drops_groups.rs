//! Named: setgroups(2) is called although it is denied
//! The maps are right. Then the supplementary groups are dropped, as a daemon does that is started as root.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, getegid, geteuid, setgroups};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0])).unwrap();
    std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1])).unwrap();
    let group = Gid::from_raw(words[1].parse().unwrap());
    if let Err(errno) = setgroups(&[group]) {
        eprintln!("setgroups: {errno}");
        exit(1);
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
