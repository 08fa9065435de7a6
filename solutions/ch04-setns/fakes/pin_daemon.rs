//! Refused by step 4: PATH is a symbolic link, and a process keeps the namespace alive.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "pin" {
        return pin(&words[1], &words[2]);
    }
    for kind in ["uts", "ipc", "net"] {
        let file = File::open(format!("/proc/{}/ns/{kind}", words[0])).expect("open");
        setns(file, CloneFlags::empty()).expect("setns");
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

fn pin(pid: &str, path: &str) {
    let namespace = File::open(format!("/proc/{pid}/ns/uts")).expect("open");
    let (mut ready, tell) = std::io::pipe().expect("pipe");
    // SAFETY: this process has one thread.
    if unsafe { libc::fork() } == 0 {
        let link = format!("/proc/{}/fd/{}", std::process::id(), namespace.as_raw_fd());
        std::os::unix::fs::symlink(link, path).expect("symlink");
        drop((ready, tell));
        // SAFETY: the call only returns for a signal.
        unsafe { libc::pause() };
        exit(0);
    }
    drop(tell);
    _ = ready.read(&mut [0]);
}
