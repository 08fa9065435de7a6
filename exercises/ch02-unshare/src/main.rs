//! ch02-unshare: run a command under a host name that nobody else sees.
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

use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail};

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

/// Runs `command` in a new UTS namespace whose host name is `name`, and waits for it.
fn run(name: &str, command: &str, args: &[String]) -> Result<ExitStatus> {
    // TODO: leave the UTS namespace you share with everybody. Man pages: unshare(2), uts_namespaces(7).
    // TODO: give the new one its name. Man page: sethostname(2).
    let _ = name;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// The shell's convention: the exit status, or 128 and the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
