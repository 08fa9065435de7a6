//! Named: the pin is taken away again
//! Points at: umount
//! What was mounted is unmounted when the program ends, as it should be elsewhere.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        let uts = format!("/proc/{}/ns/uts", args[2]);
        File::create(&args[3])?;
        mount(Some(&*uts), &*args[3], None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        umount(&*args[3])?;
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
