//! Named: COMMAND starts before the name is set
//! COMMAND is started as soon as the namespace is new, and gets its name while it runs.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS)?;
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn()?;
    sethostname(&args[1])?;
    exit(child.wait()?.code().unwrap_or(1))
}
