//! Named: the pinned namespace is your own
//! What is mounted is the namespace of the program, because the path has `self` in it.

use std::ffi::CString;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn pin(path: &str) -> anyhow::Result<()> {
    let _ = std::fs::File::create(path)?;
    let none: Option<&str> = None;
    mount(Some("/proc/self/ns/uts"), path, none, MsFlags::MS_BIND, none)?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        return pin(&args[3]);
    }
    let pid: i32 = args[1].parse()?;
    // SAFETY: takes two integers, and nothing else owns the new descriptor.
    let fd = unsafe { OwnedFd::from_raw_fd(libc::syscall(libc::SYS_pidfd_open, pid, 0) as i32) };
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET;
    setns(fd.as_fd(), flags)?;
    let argv: Vec<_> =
        args[3..].iter().map(|a| CString::new(a.as_str())).collect::<Result<_, _>>()?;
    let status = Command::new(argv[0].to_str()?).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
