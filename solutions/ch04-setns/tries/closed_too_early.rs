//! Named: setns(2) is given no open descriptor
//! The number is taken out of an OwnedFd that lives to the end of its block only.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let fd = {
        let pid: i32 = args[1].parse().unwrap();
        // SAFETY: takes two integers, and nothing else owns the new descriptor.
        let pidfd =
            unsafe { OwnedFd::from_raw_fd(libc::syscall(libc::SYS_pidfd_open, pid, 0) as i32) };
        pidfd.as_raw_fd()
    };
    // SAFETY: takes two integers.
    let result =
        unsafe { libc::setns(fd, libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET) };
    if result != 0 {
        eprintln!("setns: {}", std::io::Error::last_os_error());
        exit(1);
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
