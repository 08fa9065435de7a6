//! ch03-twice: a child ends with exit(3), and another one with _exit(2).

use std::process::exit;

use anyhow::{Context as _, Result};
use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork};

fn main() -> Result<()> {
    // There is no line end, so the text waits in a buffer.
    print!("printed once. ");
    // SAFETY: this process has one thread.
    if let ForkResult::Child = unsafe { fork() }.context("fork()")? {
        match std::env::args().nth(1).as_deref() {
            Some("exit") => exit(0),
            // SAFETY: the call takes an integer and does not return.
            _ => unsafe { libc::_exit(0) },
        }
    }
    wait().context("wait()")?;
    println!();
    Ok(())
}
