//! Uses the mount API of Linux 5.2 and 5.12: the tmpfs is made and filled before it is mounted
//! anywhere, and mount_setattr(2) sets the propagation.

use std::ffi::{CString, c_long};
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn call(name: &str, result: c_long) -> i32 {
    Errno::result(result).unwrap_or_else(|errno| panic!("{name}: {errno}")) as i32
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = CString::new(words[0].as_str()).unwrap();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    let slave =
        libc::mount_attr { attr_set: 0, attr_clr: 0, propagation: libc::MS_SLAVE, userns_fd: 0 };
    let null = std::ptr::null::<u8>();
    let (at, empty) = (libc::AT_FDCWD, c"".as_ptr());
    // SAFETY: every pointer is null, a C string or a mount_attr of the given size, and outlives its
    // call. The other arguments are integers, and nothing else owns the descriptors.
    unsafe {
        let (root, size) = (c"/".as_ptr(), size_of_val(&slave));
        let set =
            libc::syscall(libc::SYS_mount_setattr, at, root, libc::AT_RECURSIVE, &slave, size);
        call("mount_setattr", set);
        let context = call("fsopen", libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0));
        const FSCONFIG_CMD_CREATE: i32 = 6;
        let create = FSCONFIG_CMD_CREATE;
        call("fsconfig", libc::syscall(libc::SYS_fsconfig, context, create, null, null, 0));
        let tree = call("fsmount", libc::syscall(libc::SYS_fsmount, context, 0, 0));
        std::fs::write(format!("/proc/self/fd/{tree}/token"), &words[1]).expect("write");
        let flags = libc::MOVE_MOUNT_F_EMPTY_PATH;
        let moved = libc::syscall(libc::SYS_move_mount, tree, empty, at, dir.as_ptr(), flags);
        call("move_mount", moved);
        libc::close(context);
        libc::close(tree);
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
