//! Named: another kind of namespace is asked for
//! Points at: unshare(CLONE_NEWUTS)
//! CLONE_NEWUTS is taken for the flag of the user namespace.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    if let Err(errno) = unshare(CloneFlags::CLONE_NEWUTS) {
        eprintln!("unshare: {errno}");
        std::process::exit(1);
    }
    std::fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0])).expect("uid_map");
    std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1])).expect("gid_map");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
