//! Refused by step 1: the root directory is a copy of ROOT with the same entries.

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
    let copy = Path::new("/mnt").join(root.file_name().expect("a name"));
    mount(Some("tmpfs"), "/mnt", Some("tmpfs"), MsFlags::empty(), NONE).expect("tmpfs");
    let copied = Command::new("cp").args(["-a", &words[0], &words[1], "/mnt/"]).status();
    assert!(copied.expect("cp").success());
    let root = copy.as_path();
    bind(root, root);
    bind(Path::new("/proc"), &root.join("proc"));
    bind(share, &root.join("share"));
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    mount(NONE, &root.join("share"), NONE, remount, NONE).expect("read-only");
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
