//! ch03-clone: run a command in a child that is born in new namespaces.
//!
//! Usage: `ch03-clone NAME -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch03-clone otter -- sh -c 'hostname; readlink /proc/self/ns/ipc'
//! otter
//! ipc:[4026532002]
//! # hostname; readlink /proc/self/ns/ipc
//! lab
//! ipc:[4026532001]
//! ```
//!
//! Check it with `cargo xtask check ch3`.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{ForkResult, fork};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow!("usage: ch03-clone NAME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch03-clone: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` in a child that is born in new UTS and IPC namespaces, and
/// waits for it.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    match clone_child()? {
        None => child(name, command, args),
        Some(pidfd) => {
            // Unlike the pid, the descriptor can only mean this child.
            let child = Id::PIDFd(pidfd.as_fd());
            waitid(child, WaitPidFlag::WEXITED).context("waitid(P_PIDFD)")
        }
    }
}

/// Makes the child. Returns twice, as fork(2) does: `None` in the child, its
/// pidfd in the parent.
fn clone_child() -> Result<Option<OwnedFd>> {
    // TODO: instead of fork(2), call clone3(2) for a child in new UTS and IPC namespaces. Man page: clone(2).
    // TODO: have the same call make the pidfd, and have SIGCHLD sent when the child ends. Man page: clone(2).
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => Ok(None),
        ForkResult::Parent { child } => {
            // A stand-in: this pidfd is made only after the child.
            use std::os::fd::FromRawFd as _;
            // SAFETY: pidfd_open takes two integers, and nothing else owns the new descriptor.
            let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.as_raw(), 0) };
            Ok(Some(unsafe { OwnedFd::from_raw_fd(pidfd as i32) }))
        }
    }
}

/// Runs in the child and never returns, because the code above is the parent's.
fn child(name: &OsStr, command: &OsStr, args: &[OsString]) -> ! {
    // TODO: set the host name of the new UTS namespace; exit with status 1 if that fails. Man page: sethostname(2).
    let _ = name;
    let error = Command::new(command).args(args).exec();
    eprintln!("ch03-clone: execve({command:?}): {error}");
    exit(127)
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
