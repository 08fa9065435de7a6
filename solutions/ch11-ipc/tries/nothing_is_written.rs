//! Named: the segment is empty
//! The segment is made, and the text is in a buffer of the program.

use std::ffi::CString;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWIPC).unwrap();
    let key: libc::key_t = args[1].parse().unwrap();
    // SAFETY: takes integers.
    let id = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    if id == -1 {
        eprintln!("shmget: {}", nix::errno::Errno::last());
        exit(1);
    }
    let mut segment = vec![0u8; 4096];
    segment[..args[2].len()].copy_from_slice(args[2].as_bytes());
    let queue = CString::new(format!("/{}", args[2])).unwrap();
    let attributes: *mut libc::mq_attr = std::ptr::null_mut();
    // SAFETY: the name outlives the call.
    let fd =
        unsafe { libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes) };
    if fd == -1 {
        eprintln!("mq_open: {}", nix::errno::Errno::last());
        exit(1);
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
