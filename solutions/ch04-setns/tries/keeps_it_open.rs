//! Named: nothing is mounted on PATH
//! The descriptor holds the namespace, until the program ends.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        let namespace = File::open(format!("/proc/{}/ns/uts", args[2]))?;
        File::create(&args[3])?;
        std::mem::forget(namespace);
        return Ok(());
    }
    for kind in ["uts", "ipc", "net"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    exit(Command::new(&args[3]).args(&args[4..]).status()?.code().unwrap_or(1))
}
