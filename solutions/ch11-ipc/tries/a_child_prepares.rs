//! Named: another process made the call
//! Points at: unshare(
//! A child leaves the namespace, makes both objects and ends. COMMAND is started by its parent.

use std::ffi::CString;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

fn prepare(key: i32, text: &str) {
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    let name = CString::new(format!("/{text}")).unwrap();
    // SAFETY: the text is shorter than the segment, and the strings outlive the calls.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        memory.copy_from(text.as_ptr(), text.len());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        libc::mq_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: there is one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            prepare(args[1].parse().unwrap(), &args[2]);
            exit(0);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None).expect("waitpid");
        }
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
