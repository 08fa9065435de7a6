//! Named: the status is not collected
//! `WNOWAIT` leaves the child in a state in which it can be waited for again.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::sethostname;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut fd = -1;
    // SAFETY: zero is valid for each field.
    let mut clone: libc::clone_args = unsafe { std::mem::zeroed() };
    clone.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    clone.pidfd = &raw mut fd as u64;
    clone.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: both outlive the call, and there is one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const clone, size_of_val(&clone)) };
    if pid == 0 {
        sethostname(&args[1]).unwrap();
        let error = Command::new(&args[3]).args(&args[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    // SAFETY: the call has made this descriptor.
    let pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    match waitid(Id::PIDFd(pidfd.as_fd()), flags).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
