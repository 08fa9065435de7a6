//! ch14-born: children that are born in another cgroup, with clone3(2), and where each of them is.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::Pid;

/// The libc crate has a constant of 32 bits, in which this flag becomes 0.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

fn main() -> Result<()> {
    fs::create_dir("/sys/fs/cgroup/nest").context("mkdir(nest)")?;
    let nest = File::open("/sys/fs/cgroup/nest").context("open(nest)")?;
    born("CLONE_INTO_CGROUP", CLONE_INTO_CGROUP, &nest)?;
    born("and CLONE_NEWCGROUP", CLONE_INTO_CGROUP | libc::CLONE_NEWCGROUP as u64, &nest)?;
    born("neither flag", 0, &nest)?;
    fs::remove_dir("/sys/fs/cgroup/nest").context("rmdir(nest)")
}

/// Makes a child with these flags, which prints where it is. So does its parent.
fn born(name: &str, flags: u64, cgroup: &File) -> Result<()> {
    // SAFETY: all zeros are a valid clone_args.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.flags = flags;
    request.cgroup = cgroup.as_raw_fd() as u64;
    request.exit_signal = libc::SIGCHLD as u64;
    let size = size_of_val(&request);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, which has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const request, size) };
    let pid = Errno::result(pid).with_context(|| format!("clone3({flags:#x})"))?;
    if pid == 0 {
        println!("{name}: {} says the child", path("self").unwrap_or_default());
        // SAFETY: the call takes an integer, and never returns.
        unsafe { libc::_exit(0) };
    }
    let child = Pid::from_raw(pid as i32);
    // WNOWAIT waits for the end and leaves the zombie, which is still in its cgroup.
    waitid(Id::Pid(child), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).context("waitid()")?;
    println!("{name}: {} says its parent", path(&child.to_string())?);
    waitpid(child, None).map(drop).context("waitpid()")
}

/// The path in the line of version 2.
fn path(pid: &str) -> Result<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).context("read(cgroup)")?;
    let line = text.lines().find_map(|line| line.strip_prefix("0::"));
    Ok(line.context("no cgroups of version 2")?.to_owned())
}
