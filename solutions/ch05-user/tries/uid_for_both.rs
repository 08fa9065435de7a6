//! Named: other ids are mapped than those asked for
//! One function writes both maps, and UID goes into both.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn write_map(file: &str, inside: &str, outside: u32) {
    let line = format!("{inside} {outside} 1\n");
    std::fs::write(format!("/proc/self/{file}"), line).expect(file);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let uid = nix::unistd::getuid().as_raw();
    let gid = nix::unistd::getgid().as_raw();
    unshare(CloneFlags::CLONE_NEWUSER).expect("unshare");
    std::fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    write_map("uid_map", &words[0], uid);
    write_map("gid_map", &words[0], gid);
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
