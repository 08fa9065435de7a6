//! Makes the user namespace with its maps first, and from inside it the three that it should own.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let maps = [("uid_map", format!("0 {} 1", getuid())), ("gid_map", format!("0 {} 1", getgid()))];
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    fs::write("/proc/self/setgroups", "deny").unwrap();
    for (file, text) in maps {
        fs::write(format!("/proc/thread-self/{file}"), text).unwrap();
    }
    for flag in [CloneFlags::CLONE_NEWUTS, CloneFlags::CLONE_NEWIPC, CloneFlags::CLONE_NEWNET] {
        unshare(flag).unwrap();
    }
    sethostname(&words[0]).unwrap();
    let status = Command::new(&words[2]).args(&words[3..]).status().unwrap();
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()));
}
