//! Named: something else than NAME is set
//! The name of the example in the page is written into the program.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(3).collect();
    unshare(CloneFlags::CLONE_NEWUTS)?;
    sethostname("otter")?;
    let status = Command::new(&args[0]).args(&args[1..]).status()?;
    exit(status.code().unwrap_or(1));
}
