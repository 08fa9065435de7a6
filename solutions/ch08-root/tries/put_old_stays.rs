//! Named: put_old is still there
//! The old root is taken off its directory, and the directory is forgotten.

use std::fs::create_dir_all;
use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(&words[0]);
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    let none: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).expect("private");
    mount(Some(root), root, none, bind, none).expect("bind root");
    mount(Some("/proc"), &root.join("proc"), none, bind, none).expect("bind proc");
    let share = root.join("share");
    mount(Some(words[1].as_str()), &share, none, bind, none).expect("bind share");
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(none, &share, none, MsFlags::MS_BIND | flags, none).expect("remount share");
    create_dir_all(root.join(".old_root")).expect("mkdir");
    pivot_root(root, &root.join(".old_root")).expect("pivot_root");
    chdir("/").expect("chdir");
    umount2("/.old_root", MntFlags::MNT_DETACH).expect("umount2");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
