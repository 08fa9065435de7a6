//! Named: POSIX shared memory instead of System V
//! shm_open(3) has the better examples on the net, and the key becomes part of a name.

use std::ffi::CString;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let name = CString::new(format!("/{}", args[1])).unwrap();
    let queue = CString::new(format!("/{}", args[2])).unwrap();
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    // SAFETY: the mapping is 4096 bytes long, and the strings outlive the calls.
    unsafe {
        let fd = libc::shm_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600);
        assert!(fd >= 0, "shm_open: {}", std::io::Error::last_os_error());
        assert_eq!(libc::ftruncate(fd, 4096), 0);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let at = libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_SHARED, fd, 0);
        assert_ne!(at, libc::MAP_FAILED);
        std::ptr::copy_nonoverlapping(args[2].as_ptr(), at.cast(), args[2].len());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        let flags = libc::O_CREAT | libc::O_RDWR;
        let queue = libc::mq_open(queue.as_ptr(), flags, 0o600, attributes);
        assert!(queue >= 0, "mq_open: {}", std::io::Error::last_os_error());
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    std::process::exit(status.code().unwrap_or(1));
}
