//! Named: the lab's mount namespace is not left
//! pivot_root alone is thought to be enough, since it changes "the process's root".

use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    mount(Some(root), root, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .expect("bind");
    chdir(root).expect("chdir");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
