//! ch02-unshare: run a command under a host name that no other process sees.
//!
//! Usage: `ch02-unshare NAME -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch02-unshare otter -- hostname
//! otter
//! # hostname
//! lab
//! ```
//!
//! Check it with `cargo xtask check ch2`.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

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
    // TODO: leave the UTS namespace that you share with the lab. Man pages: unshare(2), uts_namespaces(7).
    // TODO: set the host name of the new one. Man page: sethostname(2).
    let _ = name;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
