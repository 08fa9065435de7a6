//! ch09-pid: run a command as PID 1 of a new PID namespace, with a `/proc` of its own.
//!
//! Usage: `ch09-pid -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch09-pid -- sh -c 'echo $$; ls -d /proc/[0-9]*'
//! 1
//! /proc/1
//! /proc/2
//! ```
//!
//! Check it with `cargo xtask check ch9`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => Err(anyhow!("usage: ch09-pid -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch09-pid: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` as PID 1 of a new PID namespace, and waits for it.
fn run(command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // TODO: make the next child the first process of a new PID namespace. Man pages: unshare(2), pid_namespaces(7).
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => child(command, args),
        ForkResult::Parent { child } => waitpid(child, None).context("waitpid()"),
    }
}

/// Runs in the child, as PID 1, and never returns, because the code above is the parent's.
fn child(command: &OsStr, args: &[OsString]) -> ! {
    if let Err(error) = mount_proc() {
        eprintln!("ch09-pid: {error:#}");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch09-pid: execve({command:?}): {error}");
    exit(127)
}

/// Moves this process into a mount namespace of its own, and mounts a `/proc` there that shows this
/// PID namespace.
fn mount_proc() -> Result<()> {
    // TODO: leave the mount namespace, and stop its mounts from propagating back. Man pages: unshare(2), mount_namespaces(7).
    // TODO: mount a proc file system on /proc. Man pages: mount(2), pid_namespaces(7).
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
