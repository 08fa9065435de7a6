//! Named: the calls are in another order
//! COMMAND is started first, and the program joins while it runs.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn()?;
    for kind in ["uts", "ipc", "net"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    exit(child.wait()?.code().unwrap_or(1))
}
