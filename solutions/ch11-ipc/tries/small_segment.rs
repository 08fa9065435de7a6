//! Named: the segment holds only the beginning of TEXT
//! Points at: shmget(
//! The segment has the size of a pointer, and the text is copied past its end.

use std::ffi::CString;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (key, text) = (args[1].parse().unwrap(), &args[2]);
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWIPC).expect("unshare");
    let name = CString::new(format!("/{text}")).unwrap();
    // SAFETY: the kernel attaches a whole page, which is larger than the text.
    unsafe {
        let id = libc::shmget(key, size_of::<&str>(), libc::IPC_CREAT | 0o600);
        assert!(id >= 0, "shmget");
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        memory.copy_from(text.as_ptr(), text.len());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        let queue = libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
        assert!(queue >= 0, "mq_open: {}", std::io::Error::last_os_error());
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
