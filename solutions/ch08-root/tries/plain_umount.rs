//! Named: the old root is unmounted without MNT_DETACH
//! Points at: umount2(*
//! umount(2) on the directory of the old root, as umount(8) without `--lazy`.

use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(&words[0]);
    let none = None::<&str>;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private");
    mount(Some(root), root, none, bind, none).expect("root");
    mount(Some("/proc"), &root.join("proc"), none, bind, none).expect("proc");
    mount(Some(words[1].as_str()), &root.join("share"), none, bind, none).expect("share");
    std::fs::create_dir(root.join("oldroot")).expect("mkdir");
    pivot_root(root, &root.join("oldroot")).expect("pivot_root");
    chdir("/").expect("chdir");
    let gone = umount("/oldroot");
    std::fs::remove_dir("/oldroot").ok();
    gone.expect("umount");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
