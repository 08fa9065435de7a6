//! Named: a directory of links is mounted
//! Points at: mount(
//! All namespaces are to be pinned at once, with the directory that lists them.

use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        std::fs::create_dir_all(&args[3])?;
        let all = format!("/proc/{}/ns", args[2]);
        mount(Some(&*all), &*args[3], None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        return Ok(());
    }
    // SAFETY: takes two integers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, args[1].parse::<i32>()?, 0) };
    nix::errno::Errno::result(pidfd)?;
    // SAFETY: the kernel has just made it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
    let kinds = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET;
    setns(pidfd, kinds)?;
    exit(Command::new(&args[3]).args(&args[4..]).status()?.code().unwrap_or(1))
}
