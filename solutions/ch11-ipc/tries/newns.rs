//! Named: COMMAND is still in the lab's IPC namespace
//! CLONE_NEWNS is taken for the flag that makes any new namespace.

use std::ffi::CString;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (text, queue) = (args[2].as_str(), format!("/{}", args[2]));
    let queue = CString::new(queue).expect("no zero byte");
    // SAFETY: the text is shorter than the segment, and the strings outlive the calls.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS) == -1 {
            panic!("unshare: {}", nix::errno::Errno::last());
        }
        let id = libc::shmget(args[1].parse().expect("KEY"), 4096, libc::IPC_CREAT | 0o600);
        let memory = libc::shmat(id, std::ptr::null(), 0) as *mut u8;
        memory.copy_from(text.as_ptr(), text.len());
        libc::shmdt(memory.cast());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
