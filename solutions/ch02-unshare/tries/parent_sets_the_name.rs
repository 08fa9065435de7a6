//! Named: the parent sets the name
//! COMMAND leaves the namespace between fork and exec, but the name is set in the parent, which stays.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut command = Command::new(&args[3]);
    command.args(&args[4..]);
    // SAFETY: makes one system call.
    unsafe { command.pre_exec(|| Ok(unshare(CloneFlags::CLONE_NEWUTS)?)) };
    nix::unistd::sethostname(&args[1])?;
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1));
}
