//! Named: a user namespace without a map
//! CLONE_NEWUSER comes along, so that the program needs no root.

use std::ffi::CString;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (key, text) = (args[1].parse::<i32>().expect("KEY"), args[2].as_bytes());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWIPC).expect("unshare");
    // SAFETY: the text is shorter than the segment, and the strings outlive the calls.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        assert!(id >= 0, "shmget: {}", std::io::Error::last_os_error());
        let start = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        std::slice::from_raw_parts_mut(start, 4096)[..text.len()].copy_from_slice(text);
        let name = CString::new([b"/", text].concat()).unwrap();
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        let queue = libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
        assert!(queue >= 0, "mq_open: {}", std::io::Error::last_os_error());
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
