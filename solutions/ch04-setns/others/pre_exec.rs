//! The child joins, between fork(2) and execve(2), and the program itself stays in the lab. The pin is a mount that has been made apart from any path.

use std::ffi::CString;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "pin" {
        return pin(&words[1], &words[2]);
    }
    let files = ["net", "ipc", "uts"]
        .map(|kind| File::open(format!("/proc/{}/ns/{kind}", words[0])).expect("a target"));
    let mut command = Command::new(&words[2]);
    let join = move || {
        files.iter().try_for_each(|file| setns(file, CloneFlags::empty()))?;
        Ok(())
    };
    // SAFETY: the closure makes three system calls, and does not allocate.
    let status = unsafe { command.args(&words[3..]).pre_exec(join) }.status();
    match status {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!(
                "it could not join or not start: errno {}",
                error.raw_os_error().unwrap_or(0)
            );
            exit(2)
        }
    }
}

fn pin(pid: &str, path: &str) {
    let namespace = CString::new(format!("/proc/{pid}/ns/uts")).unwrap();
    File::create(path).expect("creat");
    let path = CString::new(path).unwrap();
    // SAFETY: the paths are C strings, and the rest are integers.
    unsafe {
        let here = libc::AT_FDCWD;
        let tree =
            libc::syscall(libc::SYS_open_tree, here, namespace.as_ptr(), libc::OPEN_TREE_CLONE);
        assert!(tree >= 0, "open_tree: {}", std::io::Error::last_os_error());
        let from_descriptor = libc::MOVE_MOUNT_F_EMPTY_PATH;
        let (none, to) = (c"".as_ptr(), path.as_ptr());
        let moved = libc::syscall(libc::SYS_move_mount, tree, none, here, to, from_descriptor);
        assert!(moved == 0, "move_mount: {}", std::io::Error::last_os_error());
    }
}
