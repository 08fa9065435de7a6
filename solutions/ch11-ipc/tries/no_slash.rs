//! Named: the queue's name has no slash
//! The name of the queue is TEXT, without more.

use std::ffi::CString;
use std::io::Error;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = CString::new(args[2].as_bytes()).unwrap();
    // SAFETY: the text is shorter than the segment, and outlives the calls.
    unsafe {
        assert_eq!(libc::unshare(libc::CLONE_NEWIPC), 0, "unshare: {}", Error::last_os_error());
        let id = libc::shmget(args[1].parse().unwrap(), 4096, libc::IPC_CREAT | 0o600);
        assert!(id >= 0, "shmget: {}", Error::last_os_error());
        libc::strcpy(libc::shmat(id, std::ptr::null(), 0).cast(), text.as_ptr());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        let queue = libc::mq_open(text.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
        assert!(queue >= 0, "mq_open: {}", Error::last_os_error());
    }
    match Command::new(&args[4]).args(&args[5..]).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => panic!("{error}"),
    }
}
