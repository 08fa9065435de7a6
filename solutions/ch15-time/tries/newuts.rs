//! Named: the offsets are written in the lab's time namespace
//! Points at: write("/proc/self/timens_offsets"
//! Another kind of namespace is made, and the refused offsets are ignored.

use std::ffi::{OsStr, OsString};
use std::fs::{self};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::sched::{CloneFlags, unshare};

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

fn seconds(word: &OsStr) -> Result<i64> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{word:?} is not a number of seconds"))
}
fn run(monotonic: &OsStr, boottime: &OsStr, command: &OsStr, args: &[OsString]) -> Result<i32> {
    let (monotonic, boottime) = (seconds(monotonic)?, seconds(boottime)?);
    unshare(CloneFlags::CLONE_NEWUTS)?;
    _ = offsets(format!("monotonic {monotonic} 0\nboottime {boottime} 0\n"));
    go(command, args)
}

fn go(command: &OsStr, args: &[OsString]) -> Result<i32> {
    let status = Command::new(command).args(args).status().context("execve")?;
    Ok(status.code().unwrap_or(1))
}

fn offsets(text: String) -> Result<()> {
    fs::write("/proc/self/timens_offsets", text).context("timens_offsets")
}
