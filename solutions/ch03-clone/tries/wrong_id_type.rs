//! Named: the wait asks for another process
//! The pidfd is given to waitid(2) as if it were a pid.

use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    cl.pidfd = &raw mut pidfd as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: there is one thread.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    if pid == 0 {
        nix::unistd::sethostname(&args[1])?;
        Command::new(&args[3]).args(&args[4..]).exec();
        exit(127);
    }
    match waitid(Id::Pid(Pid::from_raw(pidfd)), WaitPidFlag::WEXITED)? {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
