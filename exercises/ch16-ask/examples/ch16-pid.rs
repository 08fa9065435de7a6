//! ch16-pid: the number of a process in the PID namespace of another, and back.

use std::env;
use std::fs::File;
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};
use libc::{NS_GET_PID_FROM_PIDNS, NS_GET_PID_IN_PIDNS};
use nix::errno::Errno;

fn main() -> Result<()> {
    let pid: i32 = env::args().nth(1).context("usage: ch16-pid PID")?.parse()?;
    let there = File::open(format!("/proc/{pid}/ns/pid")).context("open()")?;
    let ask = |request: libc::Ioctl, pid: i32| {
        // SAFETY: these requests take a pid as their argument.
        Errno::result(unsafe { libc::ioctl(there.as_raw_fd(), request, pid) })
    };
    let inside = ask(NS_GET_PID_IN_PIDNS, pid).context("ioctl(NS_GET_PID_IN_PIDNS)")?;
    println!("its number in there: {inside}");
    println!("and back, the same process: {}", ask(NS_GET_PID_FROM_PIDNS, inside) == Ok(pid));
    println!("my number in there: {:?}", ask(NS_GET_PID_IN_PIDNS, std::process::id() as i32));
    Ok(())
}
