//! Named: the queue is made before leaving the namespace
//! The queue is opened at the start, as files are, and is expected to come along.

use std::ffi::CString;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let name = CString::new(format!("/{}", args[2])).unwrap();
    let attributes: *mut libc::mq_attr = std::ptr::null_mut();
    // SAFETY: the name outlives the call.
    let queue =
        unsafe { libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes) };
    assert!(queue >= 0, "mq_open: {}", std::io::Error::last_os_error());
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    // SAFETY: the text is shorter than the segment.
    unsafe {
        let id = libc::shmget(args[1].parse().unwrap(), 4096, libc::IPC_CREAT | 0o600);
        assert!(id >= 0, "shmget: {}", std::io::Error::last_os_error());
        let start = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        start.copy_from_nonoverlapping(args[2].as_ptr(), args[2].len());
        libc::shmdt(start.cast());
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
