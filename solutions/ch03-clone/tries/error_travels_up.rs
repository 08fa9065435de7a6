//! Named: a child whose exec failed does not end with 127
//! The child's error is returned with `?`, as everywhere else, and `main` ends with 1.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, exit};

use anyhow::{Context, Result};

fn run(args: &[String]) -> Result<ExitStatus> {
    let mut pidfd: i32 = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: without a stack and with one thread this is a fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &mut pidfd, 0, 0) };
    if nix::errno::Errno::result(pid).context("clone")? == 0 {
        nix::unistd::sethostname(&args[1]).context("sethostname")?;
        Err(Command::new(&args[3]).args(&args[4..]).exec()).context("exec")?;
    }
    let mut status = 0;
    // SAFETY: the pointer is valid.
    unsafe { libc::waitpid(pid as i32, &mut status, 0) };
    Ok(ExitStatus::from_raw(status))
}

fn main() -> Result<()> {
    let status = run(&std::env::args().collect::<Vec<_>>())?;
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}
