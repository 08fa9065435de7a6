//! Named: more ids than your own
//! Points at: write(uid_map*
//! The line is copied from a page about containers of root: it maps a whole range of ids.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).expect("unshare");
    fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    fs::write("/proc/self/uid_map", format!("{} {} 65536\n", args[0], uid)).expect("uid_map");
    fs::write("/proc/self/gid_map", format!("{} {} 65536\n", args[1], gid)).expect("gid_map");
    let error = Command::new(&args[3]).args(&args[4..]).exec();
    eprintln!("exec: {error}");
    std::process::exit(127);
}
