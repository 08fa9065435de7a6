//! Named: the segment is removed again
//! The segment is detached and removed as soon as it is written, as good examples clean up.

use std::ffi::CString;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

unsafe fn fill(key: libc::key_t, text: &str) {
    // SAFETY: the text is shorter than the segment.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o600);
        assert_ne!(id, -1, "shmget: {}", std::io::Error::last_os_error());
        let memory = libc::shmat(id, std::ptr::null(), 0) as *mut u8;
        memory.copy_from_nonoverlapping(text.as_ptr(), text.len());
        libc::shmdt(memory as *const libc::c_void);
        libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut());
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWIPC).unwrap();
    let name = CString::new(format!("/{}", args[2])).unwrap();
    let attributes: *mut libc::mq_attr = std::ptr::null_mut();
    // SAFETY: the strings outlive the calls.
    unsafe {
        fill(args[1].parse().unwrap(), &args[2]);
        let queue = libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
        assert_ne!(queue, -1, "mq_open: {}", std::io::Error::last_os_error());
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
