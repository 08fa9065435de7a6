//! Refused by step 7: PID 1 gets SIGTERM at the end of its parent, and a COMMAND that ignores SIGTERM goes on.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// The signals that are passed on to COMMAND.
const PASSED_ON: [Signal; 6] = [
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
    // From here on these signals stay pending until sigwait(3) takes them, also in every child.
    let mut blocked = SigSet::from_iter(PASSED_ON);
    blocked.add(Signal::SIGCHLD);
    let old_mask =
        blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).context("sigprocmask(SIG_BLOCK)")?;
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    let parent = own_pidfd()?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => init(command, args, &parent, &blocked, &old_mask),
        ForkResult::Parent { child } => look_after(child, &blocked),
    }
}

/// Runs as PID 1. When it exits, the kernel kills every process that is left in the namespace.
fn init(
    command: &OsStr,
    args: &[OsString],
    parent: &OwnedFd,
    blocked: &SigSet,
    old_mask: &SigSet,
) -> ! {
    let status = end_with(parent)
        .and_then(|()| start(command, args, old_mask))
        .and_then(|child| look_after(child, blocked));
    exit(status.unwrap_or_else(|error| {
        eprintln!("ch10-init: {error:#}");
        1
    }))
}

/// A descriptor of this process, which its children inherit, and COMMAND does not.
fn own_pidfd() -> Result<OwnedFd> {
    // SAFETY: the call takes two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) };
    let fd = Errno::result(fd).context("pidfd_open()")?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Makes this process end with its parent. The parent may have ended before the call, and then no signal
/// comes. getppid(2) does not show that, because it returns 0 for any parent outside, but a pidfd does.
fn end_with(parent: &OwnedFd) -> Result<()> {
    set_pdeathsig(Signal::SIGTERM).context("prctl(PR_SET_PDEATHSIG, SIGTERM)")?;
    let mut ended = [PollFd::new(parent.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ended, PollTimeout::ZERO).context("poll()")? > 0 {
        exit(1);
    }
    Ok(())
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

/// Ends a child. What its parent has buffered or registered for its own end is not the child's to do.
fn exit(code: i32) -> ! {
    // SAFETY: the call takes an integer, and never returns.
    unsafe { libc::_exit(code) }
}

/// Passes signals on to `child`, and reaps every child that ends, until `child` itself has ended.
fn look_after(child: Pid, blocked: &SigSet) -> Result<i32> {
    loop {
        match blocked.wait().context("sigwait()")? {
            Signal::SIGCHLD => {
                if let Some(status) = reap(child)? {
                    return Ok(status);
                }
            }
            // If `child` has just ended, a SIGCHLD follows, so an error needs no report.
            signal => _ = kill(child, signal),
        }
    }
}

/// Reaps all children that have ended, and returns the status of `child` if it is one of them.
fn reap(child: Pid) -> Result<Option<i32>> {
    let mut found = None;
    // One SIGCHLD can stand for several children that have ended.
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

/// The shell's convention: the exit status, or 128 plus the signal's number. `None` if the
/// child has not ended.
fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}
