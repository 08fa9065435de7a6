//! Uses the mount API of Linux 5.2 and 5.12: each mount is made and configured before it is attached.

use std::ffi::{CString, c_long};
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn call(name: &str, result: c_long) -> i32 {
    Errno::result(result).unwrap_or_else(|errno| panic!("{name}: {errno}")) as i32
}

/// Calls open_tree(2) for a copy of what is mounted at `path`, which is not attached anywhere.
fn copy(path: &str, read_only: bool) -> i32 {
    let path = CString::new(path).unwrap();
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as u32;
    let attributes = libc::mount_attr {
        attr_set: if read_only { libc::MOUNT_ATTR_RDONLY } else { 0 },
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    // SAFETY: the pointers are C strings and a mount_attr of the given size, which outlive their calls.
    unsafe {
        let tree = libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags);
        let tree = call("open_tree", tree);
        let (how, size) = (libc::AT_EMPTY_PATH | libc::AT_RECURSIVE, size_of_val(&attributes));
        let empty = c"".as_ptr();
        let set = libc::syscall(libc::SYS_mount_setattr, tree, empty, how, &attributes, size);
        call("mount_setattr", set);
        tree
    }
}

/// Calls move_mount(2) to attach `tree` at `path`, and closes it.
fn attach(tree: i32, path: &str) {
    let path = CString::new(path).unwrap();
    let (at, flags) = (libc::AT_FDCWD, libc::MOVE_MOUNT_F_EMPTY_PATH);
    // SAFETY: both C strings outlive the call, and nothing else owns the descriptor.
    unsafe {
        let empty = c"".as_ptr();
        let moved = libc::syscall(libc::SYS_move_mount, tree, empty, at, path.as_ptr(), flags);
        call("move_mount", moved);
        libc::close(tree);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    let private = libc::MS_REC | libc::MS_PRIVATE;
    let null = std::ptr::null();
    // SAFETY: every pointer is null or a C string.
    call("mount", unsafe { libc::mount(null, c"/".as_ptr(), null, private, null.cast()) }.into());
    attach(copy(&words[0], false), &words[0]);
    attach(copy(&words[1], true), &format!("{}/share", words[0]));
    attach(copy("/proc", false), &format!("{}/proc", words[0]));
    std::env::set_current_dir(&words[0]).expect("chdir");
    nix::unistd::pivot_root(".", ".").expect("pivot_root");
    nix::mount::umount2(".", nix::mount::MntFlags::MNT_DETACH).expect("umount2");
    std::env::set_current_dir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
