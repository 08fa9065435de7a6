//! Calls clone3(2), so that the child is born in the new namespace, and makes both objects there.

use std::ffi::CString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::ptr;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: all zeroes are a valid clone_args. Without a stack of its own the child runs on a copy of its
    // parent's, as after fork(2), and this process has one thread.
    let pid = unsafe {
        let mut args: libc::clone_args = std::mem::zeroed();
        args.flags = libc::CLONE_NEWIPC as u64;
        args.exit_signal = libc::SIGCHLD as u64;
        libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>())
    };
    assert!(pid >= 0, "clone3: {}", std::io::Error::last_os_error());
    if pid > 0 {
        let mut status = 0;
        // SAFETY: waitpid writes one int.
        unsafe { libc::waitpid(pid as i32, &raw mut status, 0) };
        exit(libc::WEXITSTATUS(status));
    }
    segment(words[0].parse().expect("a key"), &words[1]);
    queue(&words[1]);
    panic!("execve: {}", Command::new(&words[3]).args(&words[4..]).exec());
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
