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
use std::process::ExitCode;

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
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("ch15-time: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with the two clocks shifted by these numbers of seconds, and returns its exit status.
fn run(monotonic: &OsStr, boottime: &OsStr, command: &OsStr, args: &[OsString]) -> Result<i32> {
    let (monotonic, boottime) = (seconds(monotonic)?, seconds(boottime)?);
    // TODO: which process gets into the new time namespace, and by which call? Man pages: unshare(2),
    // time_namespaces(7), fork(2), execve(2).
    // TODO: until when can the offsets be set, and what if the kernel refuses them? Man page:
    // time_namespaces(7).
    // TODO: what does your program return when COMMAND has ended? Man page: waitpid(2).
    _ = (monotonic, boottime, command, args);
    Ok(0)
}

fn seconds(word: &OsStr) -> Result<i64> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{word:?} is not a number of seconds"))
}
