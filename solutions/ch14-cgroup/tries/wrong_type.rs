//! Named: your program gave up
//! Points at: mount(
//! The type of the file system is cgroup, which is version 1, as in older posts.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<(), nix::Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").expect("usage");
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH)?;
    mount(Some("cgroup"), "/sys/fs/cgroup", Some("cgroup"), MsFlags::empty(), none)?;
    let error = Command::new(&words[at + 1]).args(&words[at + 2..]).exec();
    panic!("{error}");
}
