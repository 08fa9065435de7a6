//! ch10-init, which also ends when the process outside is killed, at whatever moment, and on a terminal
//! leaves the foreground to COMMAND.

use std::ffi::{OsStr, OsString};
use std::io::stdin;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, killpg, raise, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{
    ForkResult, Pid, fork, getpgrp, getpid, pipe2, read, setpgid, tcgetpgrp, tcsetpgrp, write,
};

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
    blocked.add(Signal::SIGIO);
    // It is sent to a process in the background that gives the terminal to a group, unless it is blocked.
    blocked.add(Signal::SIGTTOU);
    let old_mask =
        blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).context("sigprocmask(SIG_BLOCK)")?;
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    let parent = own_pidfd()?;
    let in_foreground = tcgetpgrp(stdin()) == Ok(getpgrp());
    let (stops, stopped) = pipe2(OFlag::O_CLOEXEC).context("pipe2(O_CLOEXEC)")?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => {
            drop(stops);
            let stopped = in_foreground.then_some(stopped);
            init(command, args, &parent, stopped, &blocked, &old_mask)
        }
        ForkResult::Parent { child } => {
            drop(stopped);
            signal_for(&stops)?;
            let status = look_after(child, &blocked, &mut Job::Outside { stops, group: None });
            if in_foreground {
                // The group of COMMAND is no more, and the next program needs the terminal.
                _ = tcsetpgrp(stdin(), getpgrp());
            }
            status
        }
    }
}

/// Asks for a SIGIO when something can be read here.
fn signal_for(pipe: &OwnedFd) -> Result<()> {
    // SAFETY: the call takes three integers.
    let owner = unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETOWN, getpid().as_raw()) };
    Errno::result(owner).context("fcntl(F_SETOWN)")?;
    let flags = OFlag::O_ASYNC | OFlag::O_NONBLOCK;
    fcntl(pipe, FcntlArg::F_SETFL(flags)).context("fcntl(F_SETFL, O_ASYNC)").map(drop)
}

/// What a process does when COMMAND has stopped. PID 1 sees that, and cannot stop itself. The process
/// outside can, and the shell that waits for it sees nothing else.
enum Job {
    Inside { stopped: Option<OwnedFd> },
    Outside { stops: OwnedFd, group: Option<Pid> },
}

impl Job {
    /// COMMAND has stopped, so the process outside is told.
    fn has_stopped(&self) -> Result<()> {
        match self {
            Job::Inside { stopped: Some(pipe) } => write(pipe, b"!").context("write()").map(drop),
            _ => Ok(()),
        }
    }

    /// Stops this process as well, with the terminal for the shell, and lets COMMAND go on when the shell lets
    /// this process go on.
    fn stop_outside(&mut self) -> Result<()> {
        let Job::Outside { stops, group } = self else { return Ok(()) };
        // The end of PID 1 is a reason for a SIGIO, too.
        if !matches!(read(&*stops, &mut [0]), Ok(1)) {
            return Ok(());
        }
        let own = getpgrp();
        // At the first stop it is the group of COMMAND that has the terminal, and here it has another number
        // than for PID 1.
        let command = match *group {
            Some(command) => command,
            None => *group.insert(tcgetpgrp(stdin()).context("tcgetpgrp()")?),
        };
        tcsetpgrp(stdin(), own).context("tcsetpgrp()")?;
        raise(Signal::SIGSTOP).context("raise(SIGSTOP)")?;
        // In the background it goes on without the terminal.
        if tcgetpgrp(stdin()) == Ok(own) {
            tcsetpgrp(stdin(), command).context("tcsetpgrp()")?;
        }
        killpg(command, Signal::SIGCONT).context("kill(-COMMAND, SIGCONT)")
    }
}

/// Runs as PID 1. When it exits, the kernel kills every process that is left in the namespace.
fn init(
    command: &OsStr,
    args: &[OsString],
    parent: &OwnedFd,
    stopped: Option<OwnedFd>,
    blocked: &SigSet,
    old_mask: &SigSet,
) -> ! {
    let status = end_with(parent)
        .and_then(|()| start(command, args, stopped.is_some(), old_mask))
        .and_then(|child| look_after(child, blocked, &mut Job::Inside { stopped }));
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
    set_pdeathsig(Signal::SIGKILL).context("prctl(PR_SET_PDEATHSIG, SIGKILL)")?;
    let mut ended = [PollFd::new(parent.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ended, PollTimeout::ZERO).context("poll()")? > 0 {
        exit(1);
    }
    Ok(())
}

/// Starts COMMAND with the signal mask that this program was started with, and if that was in the foreground
/// of a terminal, in a process group of its own that is there.
fn start(
    command: &OsStr,
    args: &[OsString],
    in_foreground: bool,
    old_mask: &SigSet,
) -> Result<Pid> {
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.context("fork()")? {
        return Ok(child);
    }
    if in_foreground {
        let moved = setpgid(Pid::from_raw(0), Pid::from_raw(0))
            .and_then(|()| tcsetpgrp(stdin(), getpgrp()));
        if let Err(errno) = moved {
            eprintln!("ch10-init: tcsetpgrp(): {errno}");
            exit(1);
        }
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
fn look_after(child: Pid, blocked: &SigSet, job: &mut Job) -> Result<i32> {
    loop {
        match blocked.wait().context("sigwait()")? {
            Signal::SIGCHLD => {
                if let Some(status) = reap(child, job)? {
                    return Ok(status);
                }
            }
            Signal::SIGIO => job.stop_outside()?,
            // If `child` has just ended, a SIGCHLD follows, so an error needs no report.
            signal => _ = kill(child, signal),
        }
    }
}

/// Reaps all children that have ended, and returns the status of `child` if it is one of them.
fn reap(child: Pid, job: &Job) -> Result<Option<i32>> {
    let mut found = None;
    // One SIGCHLD can stand for several children that have ended.
    loop {
        let status = match waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(found),
            status => status.context("waitpid(-1, WNOHANG)")?,
        };
        match status {
            WaitStatus::Stopped(pid, _) if pid == child => job.has_stopped()?,
            _ if status.pid() == Some(child) => found = exit_code(status),
            _ => {}
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
