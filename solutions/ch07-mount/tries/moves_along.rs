//! Named: COMMAND came along to PID's namespace
//! Points at: setns(*
//! The right calls, all of them in the process that starts COMMAND.

use std::ffi::CString;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

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
        let there = std::fs::File::open(format!("/proc/{pid}/ns/mnt")).unwrap();
        let tree = copy_of(dir);
        setns(there, CloneFlags::CLONE_NEWNS).unwrap();
        attach(tree, dir);
    }
    let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
