//! Named: the status is not collected
//! The wait is there, but with WNOHANG it looks once and returns.

use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut fd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags = (libc::CLONE_PIDFD | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS) as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    cl.pidfd = &raw mut fd as u64;
    // SAFETY: there is one thread.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    nix::errno::Errno::result(pid)?;
    if pid == 0 {
        nix::unistd::sethostname(&args[1])?;
        let _ = Command::new(&args[3]).args(&args[4..]).exec();
        exit(127);
    }
    // SAFETY: clone3(2) has made it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG;
    match waitid(Id::PIDFd(pidfd.as_fd()), flags)? {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::StillAlive => exit(0),
        other => anyhow::bail!("{other:?}"),
    }
}
