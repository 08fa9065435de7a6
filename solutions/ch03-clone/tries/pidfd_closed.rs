//! Named: the parent holds no pidfd
//! The descriptor is put into an OwnedFd in a function that returns the pid only.

use std::mem::{size_of, zeroed};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

fn birth() -> nix::Result<Pid> {
    let mut fd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags = (libc::CLONE_PIDFD | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS) as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    cl.pidfd = &raw mut fd as u64;
    // SAFETY: there is one thread, and nothing else owns the descriptor.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    let pid = Errno::result(pid)?;
    if pid > 0 {
        let _pidfd = unsafe { OwnedFd::from_raw_fd(fd) };
    }
    Ok(Pid::from_raw(pid as i32))
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let pid = birth()?;
    if pid.as_raw() == 0 {
        nix::unistd::sethostname(&args[1])?;
        let error = Command::new(&args[3]).args(&args[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    match waitpid(pid, None)? {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
