//! Refused by step 3: an exit status of 128 or more loses its highest bit.

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

/// Runs `command` in a new UTS namespace whose host name is `name`, and waits
/// for it.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    // The new namespace is a copy, which still has the old name.
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    // A child is born in its parent's namespaces, so COMMAND needs nothing more.
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        Some(signal) => 128 + signal as u8,
        None => (status.into_raw() >> 8) as u8 & 0x7f,
    }
}
