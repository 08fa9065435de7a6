//! Named: the descriptor is of another kind than the flag
//! The flags and the files are in two lists, and the orders are different.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let kinds = ["uts", "ipc", "net"];
    let flags = [CloneFlags::CLONE_NEWUTS, CloneFlags::CLONE_NEWNET, CloneFlags::CLONE_NEWIPC];
    for (kind, flag) in kinds.into_iter().zip(flags) {
        let file = File::open(format!("/proc/{}/ns/{kind}", args[1]))?;
        setns(file, flag)?;
    }
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
