//! ch15-born: a child that clone3(2) makes in a time namespace of its own.

use std::fs;
use std::mem::size_of;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sys::wait::wait;

fn main() -> Result<()> {
    // SAFETY: the structure is integers, and all its fields may be 0.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = libc::CLONE_NEWTIME as u64;
    arguments.exit_signal = libc::SIGCHLD as u64;
    let size = size_of::<libc::clone_args>();
    // SAFETY: the structure is as long as the call is told. Without CLONE_VM the child has a copy of this memory.
    let child = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size) };
    match Errno::result(child).context("clone3(CLONE_NEWTIME)")? {
        0 => report("child"),
        _ => {
            wait().context("wait()")?;
            report("parent")
        }
    }
}

fn report(process: &str) -> Result<()> {
    let namespace =
        fs::read_link("/proc/self/ns/time").context("readlink(\"/proc/self/ns/time\")")?;
    println!("{process}: {}", namespace.display());
    Ok(())
}
