//! Refused by step 5: COMMAND gets its host name 30 ms after it was started.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (uid, gid) = (geteuid(), getegid());
    let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | owned).expect("unshare");
    map(uid, gid);
    let mut child = Command::new(&words[2]).args(&words[3..]).spawn().expect("execve");
    std::thread::sleep(std::time::Duration::from_millis(30));
    sethostname(&words[0]).expect("sethostname");
    let status = child.wait().expect("waitpid");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}

fn map(uid: Uid, gid: Gid) {
    fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).expect("uid_map");
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).expect("gid_map");
}
