//! Named: another process made the call
//! unshare(2) comes in the child of a fork that ends, and the name in the parent.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork, sethostname};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: there is one thread.
    if let ForkResult::Child = unsafe { fork() }? {
        unshare(CloneFlags::CLONE_NEWUTS)?;
        exit(0);
    }
    wait()?;
    sethostname(&args[1])?;
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
