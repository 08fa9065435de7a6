//! ch02-unshare, solved.

use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, dashes, command, args @ ..] = words.as_slice() else {
        bail!("usage: ch02-unshare NAME -- COMMAND [ARGS…]");
    };
    if dashes != "--" {
        bail!("usage: ch02-unshare NAME -- COMMAND [ARGS…]");
    }
    let status = run(name, command, args)?;
    Ok(ExitCode::from(exit_code(status)))
}

// ANCHOR: run
/// Runs `command` in a new UTS namespace whose host name is `name`, and waits for it.
fn run(name: &str, command: &str, args: &[String]) -> Result<ExitStatus> {
    // The copy starts with the old name. Everybody else keeps the original.
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    // A child is born where its parent points: nothing is left to do for COMMAND.
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}
// ANCHOR_END: run

/// The shell's convention: the exit status, or 128 and the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
