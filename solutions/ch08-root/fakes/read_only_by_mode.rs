//! Refused by step 2: the share is mounted writable, and its mode is changed.

use std::path::Path;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, share) = (Path::new(&words[0]), Path::new(&words[1]));
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).expect("private");
    bind(root, root);
    bind(Path::new("/proc"), &root.join("proc"));
    bind(share, &root.join("share"));
    std::fs::set_permissions(share, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
    chdir(root).expect("chdir");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).expect("bind");
}
