//! A thread leaves for a mount namespace of its own, and starts COMMAND from there. The tmpfs is mounted
//! elsewhere, filled and moved.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn run(words: &[String]) -> i32 {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).expect("slave");
    mount(Some("tmpfs"), "/mnt", Some("tmpfs"), MsFlags::empty(), none).expect("tmpfs");
    std::fs::write("/mnt/token", &words[1]).expect("write");
    mount(Some("/mnt"), words[0].as_str(), none, MsFlags::MS_MOVE, none).expect("move");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    exit(thread::scope(|scope| scope.spawn(|| run(&words)).join().expect("a thread")));
}
