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
use std::process::ExitCode;

use anyhow::{Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [pid, dashes, command, args @ ..] if dashes == "--" => run(pid, command, args),
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

/// Runs `command` with `args` in the UTS, IPC and network namespaces of the process `pid`. Returns its
/// exit status.
fn run(pid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    // TODO: what can only mean this process, and which process joins what? Man pages: pidfd_open(2), setns(2).
    _ = (pid, command, args);
    Ok(0)
}

/// Keeps the UTS namespace of the process `pid` alive at `path`, without a process.
fn pin(pid: &OsStr, path: &OsStr) -> Result<()> {
    // TODO: which reference to a namespace needs no process? Man pages: namespaces(7), mount(2).
    _ = (pid, path);
    Ok(())
}
