//! Named: a new namespace instead of the target's
//! unshare(2), with the flags of the chapter before. The pid plays no part.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let _pid: i32 = args[1].parse()?;
    unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET)?;
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
