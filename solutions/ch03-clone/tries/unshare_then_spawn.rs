//! Named: the parent has moved as well
//! The way of the chapter before: the program itself moves, and its child is born where it is.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)?;
    nix::unistd::sethostname(&args[1])?;
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn()?;
    // SAFETY: takes two integers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    assert!(pidfd >= 0);
    let status = child.wait()?;
    std::process::exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
