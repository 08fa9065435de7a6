//! Refused by step 2: a negative MONOTONIC becomes 0.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;

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
    // A monotonic clock never goes back.
    let (monotonic, boottime) = (seconds(monotonic)?.max(0), seconds(boottime)?);
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
    // nix has no CLONE_NEWTIME.
    // SAFETY: unshare takes only an integer.
    let result = unsafe { libc::unshare(libc::CLONE_NEWTIME) };
    Errno::result(result).map(drop).context("unshare(CLONE_NEWTIME)")
}

/// Sets the offsets of the time namespace in which the children will be born.
fn shift(monotonic: i64, boottime: i64) -> Result<()> {
    let offsets = format!("monotonic {monotonic} 0\nboottime {boottime} 0\n");
    // In one write, and before the first child, whose birth fixes the offsets.
    fs::write("/proc/self/timens_offsets", offsets).context("write(timens_offsets)")
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
