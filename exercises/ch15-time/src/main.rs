//! ch15-time: run a command with two of its clocks shifted.
//!
//! Usage: `ch15-time MONOTONIC BOOTTIME -- COMMAND [ARGS…]`, both in seconds.
//!
//! When it is finished:
//!
//! ```text
//! # ch15-time 1000 2000 -- cat /proc/self/timens_offsets
//! monotonic        1000         0
//! boottime         2000         0
//! ```
//!
//! Check it with `cargo xtask check ch15`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [monotonic, boottime, dashes, command, args @ ..] if dashes == "--" => {
            run(monotonic, boottime, command, args)
        }
        _ => Err(anyhow!("usage: ch15-time MONOTONIC BOOTTIME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch15-time: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with the two clocks shifted by these numbers of seconds, and waits for it.
fn run(
    monotonic: &OsStr,
    boottime: &OsStr,
    command: &OsStr,
    args: &[OsString],
) -> Result<ExitStatus> {
    let (monotonic, boottime) = (seconds(monotonic)?, seconds(boottime)?);
    unshare_time()?;
    shift(monotonic, boottime)?;
    let mut command = Command::new(command);
    // With a closure to call before the exec, std makes the child with fork(2) instead of vfork(2),
    // whose child is not born in the new time namespace before Linux 6.2.
    // SAFETY: the closure does nothing.
    unsafe { command.args(args).pre_exec(|| Ok(())) };
    command.status().with_context(|| format!("execve({:?})", command.get_program()))
}

fn seconds(word: &OsStr) -> Result<i64> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{word:?} is not a number of seconds"))
}

/// Makes a time namespace, in which the children of this process will be born.
fn unshare_time() -> Result<()> {
    // TODO: make the namespace. nix has no CLONE_NEWTIME, but libc has. Man pages: unshare(2), time_namespaces(7).
    Ok(())
}

/// Sets the offsets of the time namespace in which the children will be born.
fn shift(monotonic: i64, boottime: i64) -> Result<()> {
    // TODO: write both offsets to /proc/self/timens_offsets. Man page: time_namespaces(7).
    let _ = (monotonic, boottime);
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
