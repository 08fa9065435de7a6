//! A child moves and starts COMMAND, and the parent only waits.

use std::ffi::CString;
use std::process::{Command, exit};
use std::ptr;

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
            make(words[0].parse().expect("a key"), &words[1]);
            let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
            exit(status.code().unwrap_or(1));
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
    }
}

fn make(key: i32, text: &str) {
    let queue = CString::new(format!("/{text}")).unwrap();
    let text = CString::new(text).unwrap();
    // SAFETY: the pointers are C strings that outlive the calls, and the text fits into the segment.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        let start = libc::shmat(id, ptr::null(), 0);
        assert!(start as isize != -1, "shmat");
        libc::strcpy(start.cast(), text.as_ptr());
        libc::shmdt(start);
        let none = ptr::null::<libc::mq_attr>();
        assert!(
            libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, none) >= 0,
            "mq_open: {}",
            std::io::Error::last_os_error()
        );
    }
}
