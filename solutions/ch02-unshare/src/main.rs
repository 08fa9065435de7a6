//! ch02-unshare, solved.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow!("usage: ch02-unshare NAME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch02-unshare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: run
/// Runs `command` in a new UTS namespace whose host name is `name`, and waits
/// for it.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    // The new namespace is a copy, which still has the old name.
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    // A child is born in its parent's namespaces, so COMMAND needs nothing more.
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}
// ANCHOR_END: run

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
