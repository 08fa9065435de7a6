//! Named: another thread made the call
//! Points at: unshare(
//! The namespaces are made by a thread of their own, and main starts COMMAND when it has ended.

use std::process::{Command, exit};
use std::thread;

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let setup = thread::spawn(|| -> nix::Result<()> {
        unshare(CloneFlags::CLONE_NEWCGROUP)?;
        unshare(CloneFlags::CLONE_NEWNS)?;
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
        umount("/sys/fs/cgroup")?;
        mount(none, "/sys/fs/cgroup", Some("cgroup2"), MsFlags::empty(), none)
    });
    setup.join().unwrap().unwrap();
    let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
