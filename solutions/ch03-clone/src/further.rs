//! ch03-clone, which also ends a command at a deadline: `--deadline MILLISECONDS NAME -- COMMAND [ARGS…]`.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::sethostname;

/// The exit status when COMMAND was ended at its deadline, as timeout(1) has it.
const OVERDUE: u8 = 124;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&words) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch03-clone: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command of the command line. Returns the exit status for this program.
fn run(words: &[OsString]) -> Result<u8> {
    let (deadline, words) = match words {
        [option, milliseconds, rest @ ..] if option == "--deadline" => {
            let milliseconds = milliseconds.to_str().and_then(|text| text.parse().ok());
            (Some(Duration::from_millis(milliseconds.ok_or_else(usage)?)), rest)
        }
        words => (None, words),
    };
    let [name, dashes, command, args @ ..] = words else { return Err(usage()) };
    if dashes != "--" {
        return Err(usage());
    }
    let Some(pidfd) = clone_child()? else { child(name, command, args) };
    let overdue = match deadline {
        Some(deadline) if !ends_within(&pidfd, deadline)? => {
            kill(&pidfd)?;
            true
        }
        _ => false,
    };
    let status =
        waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED).context("waitid(P_PIDFD)")?;
    Ok(match status {
        // It may have ended by itself between the deadline and the signal.
        WaitStatus::Signaled(_, Signal::SIGKILL, _) if overdue => OVERDUE,
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    })
}

fn usage() -> anyhow::Error {
    anyhow!("usage: ch03-clone [--deadline MILLISECONDS] NAME -- COMMAND [ARGS…]")
}

/// Whether the process ends in this time. Its pidfd is readable when it has ended.
fn ends_within(pidfd: &OwnedFd, time: Duration) -> Result<bool> {
    let start = Instant::now();
    loop {
        let left = time.saturating_sub(start.elapsed());
        // A part of a millisecond counts as a whole one, so the deadline is not too early.
        let milliseconds = left.as_micros().div_ceil(1000);
        let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(errno).context("poll(pidfd)"),
        }
    }
}

/// Ends the process with SIGKILL, which it can neither ignore nor block.
fn kill(pidfd: &OwnedFd) -> Result<()> {
    let (call, fd) = (libc::SYS_pidfd_send_signal, pidfd.as_raw_fd());
    // SAFETY: without a siginfo the kernel makes the one that kill(2) sends.
    let sent = unsafe { libc::syscall(call, fd, libc::SIGKILL, 0, 0) };
    Errno::result(sent).map(drop).context("pidfd_send_signal(SIGKILL)")
}

/// Makes the child. Returns twice, as fork(2) does: `None` in the child, its pidfd in the parent.
fn clone_child() -> Result<Option<OwnedFd>> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: `args` and `pidfd` outlive the call. Without a stack of its own the
    // child runs on a copy of its parent's, and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    match Errno::result(pid).context("clone3(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_PIDFD)")? {
        0 => Ok(None),
        // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
        _ => Ok(Some(unsafe { OwnedFd::from_raw_fd(pidfd) })),
    }
}

/// Runs in the child and never returns, because the code above is the parent's.
fn child(name: &OsStr, command: &OsStr, args: &[OsString]) -> ! {
    if let Err(errno) = sethostname(name) {
        eprintln!("ch03-clone: sethostname({name:?}): {errno}");
        end(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch03-clone: execve({command:?}): {error}");
    end(127)
}

/// Ends the child, which has copies of its parent's buffers. exit(3) would write them a second time.
fn end(status: i32) -> ! {
    // SAFETY: the call takes an integer and does not return.
    unsafe { libc::_exit(status) }
}
