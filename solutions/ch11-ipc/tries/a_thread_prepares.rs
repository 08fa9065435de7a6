//! Named: another thread made the call
//! Points at: unshare(
//! A thread leaves the namespace and makes both objects. COMMAND is started by the first thread.

use std::ffi::CString;
use std::process::{Command, exit};
use std::sync::mpsc;
use std::thread;

fn prepare(key: i32, text: &str) {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWIPC).expect("unshare");
    let name = CString::new(format!("/{text}")).unwrap();
    // SAFETY: the text is shorter than the segment, and the strings outlive the calls.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        assert!(id >= 0, "shmget");
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        memory.copy_from(text.as_ptr(), text.len());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        let flags = libc::O_CREAT | libc::O_RDWR;
        assert!(libc::mq_open(name.as_ptr(), flags, 0o600, attributes) >= 0, "mq_open");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (key, text) = (args[1].parse().unwrap(), args[2].clone());
    let (ready, wait) = mpsc::channel();
    thread::spawn(move || {
        prepare(key, &text);
        ready.send(()).unwrap();
        thread::park();
    });
    wait.recv().expect("the thread");
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
