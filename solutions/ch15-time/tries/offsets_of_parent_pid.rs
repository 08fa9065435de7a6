//! Named: your program gave up
//! Points at: open("/proc/1/
//! The offsets are written to a file of PID 1.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

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
    unshare_time()?;
    shift(monotonic, boottime)?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => execute(command, args),
        ForkResult::Parent { child } => wait_for(child),
    }
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
    fs::write("/proc/1/timens_offsets", offsets).context("write(timens_offsets)")
}

/// Makes this process execute `command`.
fn execute(command: &OsStr, args: &[OsString]) -> ! {
    let error = Command::new(command).args(args).exec();
    eprintln!("ch15-time: execve({command:?}): {error}");
    // SAFETY: it ends this process at once; what is buffered or registered is the parent's.
    unsafe { libc::_exit(127) }
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn wait_for(child: Pid) -> Result<i32> {
    match waitpid(child, None).context("waitpid()")? {
        WaitStatus::Exited(_, code) => Ok(code),
        WaitStatus::Signaled(_, signal, _) => Ok(128 + signal as i32),
        status => bail!("waitpid(): {status:?}"),
    }
}

fn seconds(word: &OsStr) -> Result<i64> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{word:?} is not a number of seconds"))
}
