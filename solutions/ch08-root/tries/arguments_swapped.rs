//! Named: the old root would be mounted in itself
//! Points at: pivot_root(*
//! The old root is passed first, as in `mv OLD NEW`.

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
    if let Err(errno) = pivot_root("/", root) {
        eprintln!("cannot change the root: {errno}");
        exit(2);
    }
    chdir("/").expect("chdir");
    umount2("/", MntFlags::MNT_DETACH).expect("umount2");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
