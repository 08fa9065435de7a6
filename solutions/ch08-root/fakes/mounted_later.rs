//! Refused by step 3: 30 ms after the start a piece of the old tree is mounted again.

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
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    mount(NONE, &root.join("share"), NONE, remount, NONE).expect("read-only");
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as u32;
    // SAFETY: the path is a C string.
    let tree =
        unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, c"/run".as_ptr(), flags) };
    assert!(tree >= 0, "open_tree");
    chdir(root).expect("chdir");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().expect("execve");
    std::thread::sleep(std::time::Duration::from_millis(30));
    let (here, below) = (c"".as_ptr(), c"/share".as_ptr());
    let flags = libc::MOVE_MOUNT_F_EMPTY_PATH;
    // SAFETY: both paths are C strings.
    let moved =
        unsafe { libc::syscall(libc::SYS_move_mount, tree, here, libc::AT_FDCWD, below, flags) };
    assert!(moved == 0, "move_mount");
    let status = child.wait().expect("waitpid");
    exit(status.code().unwrap_or(1));
}

fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).expect("bind");
}
