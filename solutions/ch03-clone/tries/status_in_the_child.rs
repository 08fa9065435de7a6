//! Named: COMMAND is a child of the child
//! The child starts COMMAND with `status`, so there is a process between COMMAND and the pidfd.

use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: without a stack and with one thread this is a fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &mut pidfd, 0, 0) };
    if pid == 0 {
        nix::unistd::sethostname(&args[1])?;
        match Command::new(&args[3]).args(&args[4..]).status() {
            Ok(status) => exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
            Err(error) => {
                eprintln!("{}: {error}", args[3]);
                exit(127)
            }
        }
    }
    anyhow::ensure!(pid > 0, "clone: {}", std::io::Error::last_os_error());
    // SAFETY: clone(2) has made it, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    match waitid(Id::PIDFd(std::os::fd::AsFd::as_fd(&pidfd)), WaitPidFlag::WEXITED)? {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
