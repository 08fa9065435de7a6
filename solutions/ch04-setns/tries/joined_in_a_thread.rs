//! Named: another thread made the call
//! Joining is left to a worker thread, which ends. The first thread starts COMMAND.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let pid = args[1].clone();
    let worker = std::thread::spawn(move || -> anyhow::Result<()> {
        for kind in ["uts", "ipc", "net"] {
            setns(File::open(format!("/proc/{pid}/ns/{kind}"))?, CloneFlags::empty())?;
        }
        Ok(())
    });
    worker.join().unwrap()?;
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
