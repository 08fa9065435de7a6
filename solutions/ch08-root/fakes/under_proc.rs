//! Refused by step 3: the old root is mounted on `/proc`, under the proc file system.

use std::path::Path;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, share) = (Path::new(&words[0]), Path::new(&words[1]));
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).expect("private");
    bind(root, root);
    bind(share, &root.join("share"));
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    mount(NONE, &root.join("share"), NONE, remount, NONE).expect("read-only");
    chdir(root).expect("chdir");
    pivot_root(".", "proc").expect("pivot_root");
    bind(Path::new("proc/proc"), Path::new("proc"));
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).expect("bind");
}
