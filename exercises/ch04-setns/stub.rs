//! ch04-setns: run a command in the namespaces of an existing process.
//!
//! Usage: `ch04-setns PID -- COMMAND [ARGS…]`
//!        `ch04-setns pin PID PATH`
//!
//! When it is finished (here process 7 has a UTS namespace of its own, named `otter`):
//!
//! ```text
//! # ch04-setns 7 -- hostname
//! otter
//! # ch04-setns pin 7 /run/otter
//! # kill 7
//! # nsenter --uts=/run/otter hostname
//! otter
//! ```
//!
//! Check it with `cargo xtask check ch4`.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [pid, dashes, command, args @ ..] if dashes == "--" => {
            run(pid, command, args).map(exit_code)
        }
        [word, pid, path] if word == "pin" => pin(pid, path).map(|()| 0),
        _ => Err(anyhow!("usage: ch04-setns PID -- COMMAND [ARGS…], or ch04-setns pin PID PATH")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch04-setns: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` in the UTS, IPC and network namespaces of the process `pid`, and waits for it.
fn run(pid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    join(number(pid)?)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into the UTS, IPC and network namespaces of the process `pid`.
fn join(pid: i32) -> Result<()> {
    // TODO: open a descriptor for this process. Man page: pidfd_open(2).
    // TODO: join the three namespaces in one call. Man page: setns(2).
    let _ = pid;
    Ok(())
}

/// Mounts the UTS namespace of the process `pid` on `path`, which keeps it alive without a process.
fn pin(pid: &OsStr, path: &OsStr) -> Result<()> {
    // TODO: create a file at `path` and bind-mount the namespace's file on it. Man pages: namespaces(7), mount(2).
    let _ = (number(pid)?, path);
    Ok(())
}

fn number(pid: &OsStr) -> Result<i32> {
    let number = pid.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{pid:?} is not a pid"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
