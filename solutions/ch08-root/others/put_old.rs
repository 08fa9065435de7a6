//! Uses absolute paths, and a directory for the old root that is removed afterwards.

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
    mount(Some(root), root, none, MsFlags::MS_BIND, none).expect("bind ROOT");
    let old = format!("{root}/old");
    std::fs::create_dir(&old).expect("mkdir");
    pivot_root(root, old.as_str()).expect("pivot_root");
    chdir("/").expect("chdir");
    // The old tree is still there, under another path.
    let share = format!("/old{}", words[1]);
    mount(Some(share.as_str()), "/share", none, MsFlags::MS_BIND, none).expect("bind SHARE");
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let kept = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(none, "/share", none, read_only | kept, none).expect("read-only");
    let proc = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some("/old/proc"), "/proc", none, proc, none).expect("bind /proc");
    umount2("/old", MntFlags::MNT_DETACH).expect("umount2");
    std::fs::remove_dir("/old").expect("rmdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
