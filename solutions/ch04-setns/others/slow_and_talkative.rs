//! Starts slowly, prints a lot on both streams, and pins what a descriptor leads to.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    for line in 0..2000 {
        println!("{line}: which process was it?");
        eprintln!("{line}: {}", words.join(" "));
    }
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
    let (namespace, none) = (format!("/proc/{pid}/ns/uts"), None::<&str>);
    let held = File::open(namespace).expect("open");
    let held = format!("/proc/self/fd/{}", held.as_raw_fd());
    std::fs::write(path, "mounted over").expect("write");
    mount(Some(&*held), path, none, MsFlags::MS_BIND, none).expect("mount");
}
