//! Named: an id outside that is not yours
//! Points at: write(*gid_map*
//! On the author's machine the uid and the gid are both 1000, and one variable is enough.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let me = nix::unistd::getuid();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("{} {me} 1", words[0])).unwrap();
    std::fs::write("/proc/self/gid_map", format!("{} {me} 1", words[1])).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
