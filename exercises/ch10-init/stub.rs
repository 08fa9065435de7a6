//! ch10-init: run a command under a PID 1 that does the work of an init.
//!
//! Usage: `ch10-init -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch10-init -- sh -c 'echo $PPID $$; kill -TERM 1; sleep 9'
//! 1 2
//! # echo $?
//! 143
//! ```
//!
//! Check it with `cargo xtask check ch10`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// The signals that are passed on to COMMAND, and SIGCHLD, which reports the end of a child.
const BLOCKED: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => Err(anyhow!("usage: ch10-init -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("ch10-init: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` under a PID 1 in a new PID namespace, and returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    // If the parent ignored SIGCHLD, so would this process, and would never receive one.
    // SAFETY: SIG_DFL installs no handler.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("signal(SIGCHLD)")?;
    // TODO: block the signals in `blocked`, and keep the previous mask. Man pages: sigprocmask(2), signal(7).
    let blocked = SigSet::from_iter(BLOCKED);
    let old_mask = SigSet::thread_get_mask().context("sigprocmask()")?;
    // TODO: make the next child PID 1 of a new PID namespace. Man pages: unshare(2), pid_namespaces(7).
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => init(command, args, &blocked, &old_mask),
        ForkResult::Parent { child } => look_after(child, &blocked),
    }
}

/// Runs as PID 1. When it exits, the kernel kills every process that is left in the namespace.
fn init(command: &OsStr, args: &[OsString], blocked: &SigSet, old_mask: &SigSet) -> ! {
    let status = start(command, args, old_mask).and_then(|child| look_after(child, blocked));
    exit(status.unwrap_or_else(|error| {
        eprintln!("ch10-init: {error:#}");
        1
    }))
}

/// Starts COMMAND with the signal mask that this program was started with.
fn start(command: &OsStr, args: &[OsString], old_mask: &SigSet) -> Result<Pid> {
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.context("fork()")? {
        return Ok(child);
    }
    // An exec keeps the mask, and COMMAND does not expect its signals to be blocked.
    _ = old_mask.thread_set_mask();
    let error = Command::new(command).args(args).exec();
    eprintln!("ch10-init: execve({command:?}): {error}");
    exit(127)
}

/// Passes signals on to `child`, and reaps every child that ends, until `child` itself has ended.
fn look_after(child: Pid, blocked: &SigSet) -> Result<i32> {
    loop {
        // TODO: wait for one of the signals in `blocked`; reap at SIGCHLD, and pass any other on to `child`. Man pages: sigwait(3), kill(2).
        let _ = blocked;
        if let Some(status) = reap(child)? {
            return Ok(status);
        }
    }
}

/// Reaps all children that have ended, and returns the status of `child` if it is one of them.
fn reap(child: Pid) -> Result<Option<i32>> {
    // TODO: reap any child that has ended, without waiting, until there is none. Man page: waitpid(2).
    waitpid(child, None).context("waitpid()").map(exit_code)
}

/// The shell's convention: the exit status, or 128 plus the signal's number. `None` if the
/// child has not ended.
fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}
