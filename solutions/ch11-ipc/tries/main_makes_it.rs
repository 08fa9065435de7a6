//! Named: another thread made the call
//! Points at: unshare(
//! A thread leaves the namespace, and everything else is done by the first thread, which has stayed.

use std::ffi::CString;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (key, text) = (args[1].parse().unwrap(), &args[2]);
    let left = thread::spawn(|| unshare(CloneFlags::CLONE_NEWIPC));
    left.join().unwrap().expect("unshare");
    let name = CString::new(format!("/{text}")).unwrap();
    // SAFETY: the segment is as large as the text, and the strings outlive the calls.
    unsafe {
        let id = libc::shmget(key, text.len(), libc::IPC_CREAT | libc::IPC_EXCL | 0o600);
        assert!(id >= 0, "shmget");
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        memory.copy_from(text.as_ptr(), text.len());
        libc::shmdt(memory.cast());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        let queue = libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
        assert!(queue >= 0, "mq_open: {}", std::io::Error::last_os_error());
        libc::close(queue);
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
