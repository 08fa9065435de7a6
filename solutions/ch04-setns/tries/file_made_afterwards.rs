//! Named: there is no file to mount on
//! Points at: mount(
//! The two calls are in the wrong order, and nothing looks at their results.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        let uts = format!("/proc/{}/ns/uts", args[2]);
        let none = None::<&str>;
        mount(Some(&*uts), &*args[3], none, MsFlags::MS_BIND, none).ok();
        File::create(&args[3]).ok();
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
