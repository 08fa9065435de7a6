//! Refused by step 2: a helper makes the objects while COMMAND is started, so either may be first.

use std::ffi::CString;
use std::process::{Command, exit};
use std::ptr;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    // SAFETY: the child only uses what it has copied, and never returns.
    let helper = unsafe { libc::fork() };
    if helper == 0 {
        segment(words[0].parse().expect("a key"), &words[1]);
        queue(&words[1]);
        exit(0);
    }
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().expect("execve");
    let status = child.wait().expect("waitpid");
    // SAFETY: takes an integer and a pointer that may be null.
    unsafe { libc::waitpid(helper, ptr::null_mut(), 0) };
    exit(status.code().unwrap_or(1));
}

fn segment(key: i32, text: &str) {
    // SAFETY: the kernel chooses a free address, and the text fits into the segment.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        let start = libc::shmat(id, ptr::null(), 0);
        assert!(start as isize != -1, "shmat: {}", std::io::Error::last_os_error());
        ptr::copy_nonoverlapping(text.as_ptr(), start.cast(), text.len());
        libc::shmdt(start);
    }
}

fn queue(name: &str) {
    let path = CString::new(format!("/{name}")).unwrap();
    let none = ptr::null::<libc::mq_attr>();
    // SAFETY: the name is a C string, and without attributes the queue has the default sizes.
    let made = unsafe { libc::mq_open(path.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, none) };
    assert!(made >= 0, "mq_open: {}", std::io::Error::last_os_error());
}
