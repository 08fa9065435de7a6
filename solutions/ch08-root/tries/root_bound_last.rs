//! Named: the bind mount of ROOT covers the others
//! ROOT is made a mount after /proc and SHARE have been mounted in it, without MS_REC.

use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    let (none, bind) = (None::<&str>, MsFlags::MS_BIND);
    let share = format!("{root}/share");
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    let proc = format!("{root}/proc");
    mount(Some("/proc"), proc.as_str(), none, bind | MsFlags::MS_REC, none).unwrap();
    mount(Some(words[1].as_str()), share.as_str(), none, bind, none).unwrap();
    let flags = bind | MsFlags::MS_REMOUNT | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(none, share.as_str(), none, flags | MsFlags::MS_RDONLY, none).unwrap();
    mount(Some(root), root, none, bind, none).unwrap();
    chdir(root).unwrap();
    pivot_root(".", ".").unwrap();
    umount2(".", MntFlags::MNT_DETACH).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
