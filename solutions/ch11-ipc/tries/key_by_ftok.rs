//! Named: the segment has another key
//! The key is made with ftok(3), as in every tutorial, and KEY is only a part of it.

use std::ffi::CString;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let project: i32 = args[1].parse().expect("a number");
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    // SAFETY: the path is a string that ends in a zero byte.
    let key = unsafe { libc::ftok(c"/tmp".as_ptr(), project) };
    // SAFETY: takes integers.
    let id = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    if id < 0 {
        panic!("shmget: {}", std::io::Error::last_os_error());
    }
    // SAFETY: the text is shorter than the segment.
    unsafe {
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        memory.copy_from(args[2].as_ptr(), args[2].len());
        libc::shmdt(memory.cast());
        let name = CString::new(format!("/{}", args[2])).unwrap();
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    std::process::exit(status.code().unwrap_or(1));
}
