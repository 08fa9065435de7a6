//! Named: the user namespace is joined as well
//! A list of flags from a text about containers, which have a user namespace. The target has none.

use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, exit};

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let pid: libc::pid_t = args[1].parse().context("pid")?;
    // SAFETY: takes two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    anyhow::ensure!(fd >= 0, "pidfd_open: {}", std::io::Error::last_os_error());
    // SAFETY: nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET;
    setns(fd, flags).context("setns")?;
    let status = Command::new(&args[3]).args(&args[4..]).status().context("exec")?;
    exit(status.code().unwrap_or(1))
}
