//! Named: your program gave up
//! Points at: pivot_root(*
//! The old root is to be put beside the new one, and not below it.

use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private");
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none).expect("bind");
    if let Err(errno) = pivot_root(root, "/tmp") {
        eprintln!("pivot_root: {errno}");
        exit(1);
    }
    chdir("/").expect("chdir");
    umount2("/tmp", MntFlags::MNT_DETACH).expect("umount2");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
