//! Named: a process keeps the namespace alive
//! A process that sleeps in the namespace keeps it, and PATH is a link to its file.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        let file = File::open(format!("/proc/{}/ns/uts", args[2]))?;
        setns(file, CloneFlags::CLONE_NEWUTS)?;
        let keeper = Command::new("sleep").arg("1000").spawn()?;
        std::os::unix::fs::symlink(format!("/proc/{}/ns/uts", keeper.id()), &args[3])?;
        return Ok(());
    }
    for kind in ["ipc", "net", "uts"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    exit(Command::new(&args[3]).args(&args[4..]).status()?.code().unwrap_or(1))
}
