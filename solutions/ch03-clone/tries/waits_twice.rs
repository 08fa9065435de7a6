//! Named: the wait finds no child
//! A helper waits until the child has ended, and then the status is asked for once more.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, sethostname};

fn await_end(child: Pid) -> nix::Result<()> {
    while matches!(waitpid(child, None)?, WaitStatus::StillAlive) {}
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: without a stack and with one thread this is a fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &mut pidfd, 0, 0) };
    if pid == 0 {
        sethostname(&args[1]).unwrap_or_else(|_| exit(1));
        Command::new(&args[3]).args(&args[4..]).exec();
        exit(127);
    }
    let child = Pid::from_raw(pid as i32);
    await_end(child)?;
    match waitpid(child, None)? {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
