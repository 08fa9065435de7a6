//! Named: more than the UTS namespace is new
//! The list of flags is that of a small container, of which the host name is only a part.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET;
    unshare(flags)?;
    sethostname(&args[1])?;
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
