//! Named: COMMAND gets other arguments
//! The words after `--` become one text for a shell, which takes it apart at the blanks.

use std::process::{Command, exit};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS)?;
    nix::unistd::sethostname(&args[1])?;
    let line = args[3..].join(" ");
    let status = Command::new("sh").args(["-c", &line]).status()?;
    exit(status.code().unwrap_or(1))
}
