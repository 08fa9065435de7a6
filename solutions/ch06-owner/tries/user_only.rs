//! Named: the UTS namespace is not yours
//! Root in a user namespace is expected to be root of everything.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let uid_map = format!("0 {} 1\n", geteuid());
    let gid_map = format!("0 {} 1\n", getegid());
    unshare(CloneFlags::CLONE_NEWUSER).expect("unshare");
    std::fs::write("/proc/self/uid_map", uid_map).expect("uid_map");
    std::fs::write("/proc/self/setgroups", "deny\n").expect("setgroups");
    std::fs::write("/proc/self/gid_map", gid_map).expect("gid_map");
    sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
