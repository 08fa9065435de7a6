//! Named: the new root is not a mount
//! Points at: pivot_root(*
//! The program enters ROOT first, and then binds it, so `.` is the directory under the mount.

use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    let none = None::<&str>;
    chdir(root).expect("chdir");
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private");
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none).expect("bind");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
