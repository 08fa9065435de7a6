//! Named: one of the two namespaces is not new
//! Only the flag for the host name is there; the System V objects are forgotten.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd = 0i32;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: without a stack and with one thread this is a fork.
    match unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) } {
        ..=-1 => panic!("clone: {}", std::io::Error::last_os_error()),
        0 => {
            nix::unistd::sethostname(&args[1]).unwrap_or_else(|_| exit(1));
            Command::new(&args[3]).args(&args[4..]).exec();
            exit(127)
        }
        _ => {}
    }
    // SAFETY: clone(2) has made it, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    match waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        other => panic!("{other:?}"),
    }
}
