//! ch10-init: run a command below a PID 1 that does what a PID 1 has to do.
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

/// The signals that are passed on to COMMAND, and SIGCHLD, which says that a child has ended.
const HELD: [Signal; 7] = [
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

/// Runs `command` below a PID 1 in a new PID namespace. Returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    // Whoever started us may ignore SIGCHLD, and we with them: none would come then.
    // SAFETY: the kernel's own disposition, no handler runs.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("signal(SIGCHLD)")?;
    // TODO: block the signals in `held`, and keep the mask from before. Man pages: sigprocmask(2), signal(7).
    let held = SigSet::from_iter(HELD);
    let before = SigSet::thread_get_mask().context("sigprocmask()")?;
    // TODO: let the next child be PID 1 of a new PID namespace. Man pages: unshare(2), pid_namespaces(7).
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => init(command, args, &held, &before),
        ForkResult::Parent { child } => look_after(child, &held),
    }
}

/// PID 1's whole life. When it exits, the kernel ends whoever is left in the namespace.
fn init(command: &OsStr, args: &[OsString], held: &SigSet, before: &SigSet) -> ! {
    let status = start(command, args, before).and_then(|child| look_after(child, held));
    exit(status.unwrap_or_else(|error| {
        eprintln!("ch10-init: {error:#}");
        1
    }))
}

/// Starts COMMAND with the signal mask that we were started with.
fn start(command: &OsStr, args: &[OsString], before: &SigSet) -> Result<Pid> {
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.context("fork()")? {
        return Ok(child);
    }
    // An exec keeps the mask, and COMMAND does not expect to be deaf.
    _ = before.thread_set_mask();
    let error = Command::new(command).args(args).exec();
    eprintln!("ch10-init: execve({command:?}): {error}");
    exit(127)
}

/// Passes signals on to `child`, and takes the status of everybody who ends, until `child` has.
fn look_after(child: Pid, held: &SigSet) -> Result<i32> {
    loop {
        // TODO: wait for one of the signals in `held`; at SIGCHLD reap, pass any other on to `child`. Man pages: sigwait(3), kill(2).
        let _ = held;
        if let Some(status) = reap(child)? {
            return Ok(status);
        }
    }
}

/// Takes the status of all children that have ended, and returns that of `child`.
fn reap(child: Pid) -> Result<Option<i32>> {
    // TODO: ask for any child that has ended, without waiting, until there is none. Man page: waitpid(2).
    waitpid(child, None).context("waitpid()").map(exit_code)
}

/// The shell's convention: the exit status, or 128 and the signal's number. `None`: not ended.
fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}
