//! ch10-init, solved.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
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

// ANCHOR: run
/// Runs `command` below a PID 1 in a new PID namespace. Returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    // Whoever started us may ignore SIGCHLD, and we with them: none would come then.
    // SAFETY: the kernel's own disposition, no handler runs.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.context("signal(SIGCHLD)")?;
    // From here on they wait until somebody asks, in us and in whoever is born.
    let held = SigSet::from_iter(HELD);
    let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK).context("sigprocmask(SIG_BLOCK)")?;
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => init(command, args, &held, &before),
        ForkResult::Parent { child } => look_after(child, &held),
    }
}
// ANCHOR_END: run

// ANCHOR: init
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
// ANCHOR_END: init

// ANCHOR: look_after
/// Passes signals on to `child`, and takes the status of everybody who ends, until `child` has.
fn look_after(child: Pid, held: &SigSet) -> Result<i32> {
    loop {
        match held.wait().context("sigwait()")? {
            Signal::SIGCHLD => {
                if let Some(status) = reap(child)? {
                    return Ok(status);
                }
            }
            // If it has just ended, there is nobody to miss it.
            signal => _ = kill(child, signal),
        }
    }
}

/// Takes the status of all children that have ended, and returns that of `child`.
fn reap(child: Pid) -> Result<Option<i32>> {
    let mut found = None;
    // One SIGCHLD may stand for many: ask until there is nobody.
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(found),
            status => status.context("waitpid(-1, WNOHANG)")?,
        };
        if status.pid() == Some(child) {
            found = exit_code(status);
        }
    }
}
// ANCHOR_END: look_after

/// The shell's convention: the exit status, or 128 and the signal's number. `None`: not ended.
fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}
