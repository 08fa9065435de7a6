//! Named: the name is set without leaving the namespace
//! hostname(1) sets the name, in the namespace that the program never left.

use std::process::{Command, exit};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let set = Command::new("hostname").arg(&args[1]).status()?;
    anyhow::ensure!(set.success(), "hostname failed");
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
