//! Named: the program goes back before COMMAND
//! After setting the name the program tidies up: it returns to the old namespace, and then starts COMMAND.

use std::fs::File;
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let old = File::open("/proc/self/ns/uts")?;
    unshare(CloneFlags::CLONE_NEWUTS)?;
    nix::unistd::sethostname(&args[1])?;
    setns(&old, CloneFlags::CLONE_NEWUTS)?;
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
