//! Named: mq_open() without O_CREAT
//! Points at: mq_open(
//! The queue is opened, and O_CREAT is not among the flags.

use std::ffi::CString;
use std::process::{Command, exit};

fn die(what: &str) -> ! {
    eprintln!("{what}: {}", std::io::Error::last_os_error());
    exit(1)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = CString::new(args[2].clone()).unwrap();
    let name = CString::new(format!("/{}", args[2])).unwrap();
    // SAFETY: the text is shorter than the segment, and the strings outlive the calls.
    unsafe {
        if libc::unshare(libc::CLONE_NEWIPC) < 0 {
            die("unshare");
        }
        let id = libc::shmget(args[1].parse().unwrap(), 4096, libc::IPC_CREAT | 0o666);
        if id < 0 {
            die("shmget");
        }
        libc::strcpy(libc::shmat(id, std::ptr::null(), 0).cast(), text.as_ptr());
        if libc::mq_open(name.as_ptr(), libc::O_RDWR) < 0 {
            die("mq_open");
        }
    }
    let status = Command::new(&args[4]).args(&args[5..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
