//! Calls unshare(2): the program moves itself, writes its own maps, and COMMAND is its child.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let uid_map = format!("{} {} 1", words[0].to_string_lossy(), getuid());
    let gid_map = format!("{} {} 1", words[1].to_string_lossy(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    fs::write("/proc/self/setgroups", "deny").unwrap();
    fs::write("/proc/self/gid_map", gid_map).unwrap();
    fs::write("/proc/self/uid_map", uid_map).unwrap();
    match Command::new(&words[3]).args(&words[4..]).status() {
        Ok(status) => {
            exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
        }
        Err(error) => {
            eprintln!("{:?}: {error}", words[3]);
            exit(127);
        }
    }
}
