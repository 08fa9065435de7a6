//! A thread leaves for a mount namespace of its own and starts COMMAND. The other threads stay.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, exit};
use std::thread;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let status = thread::scope(|scope| scope.spawn(|| run(&words)).join().expect("a thread"));
    exit(status);
}

fn run(words: &[String]) -> i32 {
    let bind = |source: &Path, target: &Path| {
        mount(Some(source), target, NONE, MsFlags::MS_BIND, NONE).expect("bind");
    };
    let [root, share] = [&words[0], &words[1]].map(Path::new);
    // unshare(CLONE_NEWNS) implies CLONE_FS, so the others keep their root and working directory.
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).expect("private");
    bind(root, root);
    bind(share, &root.join("share"));
    let kept = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NONE, &root.join("share"), NONE, remount | kept, NONE).expect("read-only");
    bind(Path::new("/proc"), &root.join("proc"));
    chdir(root).expect("chdir");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}
