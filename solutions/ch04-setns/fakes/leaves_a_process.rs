//! Refused by step 2: a process of its own goes on when COMMAND has ended.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
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
    // SAFETY: this process has one thread.
    if unsafe { libc::fork() } == 0 {
        // SAFETY: the call only returns for a signal.
        unsafe { libc::pause() };
        exit(0);
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

fn pin(pid: &str, path: &str) {
    let (namespace, none) = (format!("/proc/{pid}/ns/uts"), None::<&str>);
    File::create(path).expect("creat");
    mount(Some(&*namespace), path, none, MsFlags::MS_BIND, none).expect("mount");
}
