//! Named: the mount is made in the lab
//! Only the cgroup namespace is new, and umount(2) and mount(2) change what everybody sees.

use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap();
    unshare(CloneFlags::CLONE_NEWCGROUP).unwrap();
    umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH).unwrap();
    let (kind, no_data) = (Some("cgroup2"), None::<&str>);
    mount(kind, "/sys/fs/cgroup", kind, MsFlags::empty(), no_data).unwrap();
    let status = Command::new(&words[dashes + 1]).args(&words[dashes + 2..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
