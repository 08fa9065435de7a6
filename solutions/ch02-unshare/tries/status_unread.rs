//! Named: COMMAND's exit status is lost
//! The program waits for COMMAND, and then exits with its own status.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS)?;
    nix::unistd::sethostname(&args[1])?;
    let output = Command::new(&args[3]).args(&args[4..]).status()?;
    println!("{output}");
    Ok(())
}
