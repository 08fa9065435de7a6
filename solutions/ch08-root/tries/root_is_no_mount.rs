//! Named: the new root is not a mount
//! Points at: pivot_root(*
//! pivot_root is given the directory as it is.

use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(&words[0]);
    let old = root.join("old");
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .expect("make-rprivate");
    std::fs::create_dir(&old).expect("mkdir");
    pivot_root(root, &old).expect("pivot_root");
    chdir("/").expect("chdir");
    umount2("/old", MntFlags::MNT_DETACH).expect("umount2");
    std::fs::remove_dir("/old").expect("rmdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
