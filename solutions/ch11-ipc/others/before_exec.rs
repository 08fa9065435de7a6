//! The child moves, between fork(2) and execve(2), and the program itself stays in the lab.

use std::ffi::CString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::ptr;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let key: i32 = words[0].parse().expect("a key");
    let queue = CString::new(format!("/{}", words[1])).unwrap();
    let text = CString::new(words[1].as_str()).unwrap();
    let mut command = Command::new(&words[3]);
    let make = move || {
        unshare(CloneFlags::CLONE_NEWIPC)?;
        // SAFETY: the pointers are C strings that outlive the calls, and the text fits into the segment.
        unsafe {
            let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
            let start = libc::shmat(id, ptr::null(), 0);
            if start as isize == -1 {
                return Err(std::io::Error::last_os_error());
            }
            libc::strcpy(start.cast(), text.as_ptr());
            let none = ptr::null::<libc::mq_attr>();
            if libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, none) < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: the closure only makes system calls, and does not allocate.
    let status = unsafe { command.args(&words[4..]).pre_exec(make) }.status().expect("execve");
    exit(status.code().unwrap_or(1));
}
