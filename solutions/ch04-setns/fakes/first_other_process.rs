//! Refused by step 1: it takes the first process that is not in its own UTS namespace, whatever PID is.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "pin" {
        return pin(&words[1], &words[2]);
    }
    let uts = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/uts")).ok();
    let own = uts(std::process::id());
    let target =
        (2..400).find(|pid| uts(*pid).is_some_and(|uts| Some(uts) != own)).expect("another");
    for kind in ["uts", "ipc", "net"] {
        let file = File::open(format!("/proc/{target}/ns/{kind}")).expect("open");
        setns(file, CloneFlags::empty()).expect("setns");
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

fn pin(pid: &str, path: &str) {
    let (namespace, none) = (format!("/proc/{pid}/ns/uts"), None::<&str>);
    File::create(path).expect("creat");
    mount(Some(&*namespace), path, none, MsFlags::MS_BIND, none).expect("mount");
}
