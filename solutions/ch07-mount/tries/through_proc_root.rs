//! Named: the path leads through /proc/PID/root
//! Points at: move_mount(*
//! Where mount(2) is refused, the newer calls may do it.

use std::ffi::CString;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn tmpfs(dir: &str, text: &str) {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    std::fs::write(format!("{dir}/token"), text).unwrap();
}

fn copy_of(dir: &str) -> i64 {
    let dir = CString::new(dir).unwrap();
    let (from, flags) = (libc::AT_FDCWD, libc::OPEN_TREE_CLONE);
    // SAFETY: the path is a C string.
    let tree = unsafe { libc::syscall(libc::SYS_open_tree, from, dir.as_ptr(), flags) };
    assert!(tree >= 0, "open_tree");
    tree
}

fn attach(tree: i64, to: &str) {
    let to = CString::new(to).unwrap();
    let (from, flags) = (c"".as_ptr(), libc::MOVE_MOUNT_F_EMPTY_PATH);
    // SAFETY: the paths are C strings.
    let moved = unsafe {
        libc::syscall(libc::SYS_move_mount, tree, from, libc::AT_FDCWD, to.as_ptr(), flags)
    };
    assert_eq!(moved, 0, "move_mount: {}", std::io::Error::last_os_error());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let (dir, text) = (words[0].as_str(), words[1].as_str());
    tmpfs(dir, text);
    if let Some(pid) = words[..at].get(3) {
        attach(copy_of(dir), &format!("/proc/{pid}/root{dir}"));
    }
    let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
