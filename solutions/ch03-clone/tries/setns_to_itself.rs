//! Named: the program goes back before COMMAND
//! Points at: setns(
//! The child names the host of its parent, and stays there.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::sethostname;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow!("usage: ch03-clone NAME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch03-clone: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with `args` in a child that is born in new UTS and IPC namespaces, under the host name
/// `name`. Returns the exit status for this program.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    match clone_child()? {
        None => child(name, command, args),
        Some(pidfd) => {
            // Unlike the pid, the descriptor can only mean this child.
            let child = Id::PIDFd(pidfd.as_fd());
            let status = waitid(child, WaitPidFlag::WEXITED).context("waitid(P_PIDFD)")?;
            Ok(exit_code(status))
        }
    }
}

/// Makes the child. Returns twice, as fork(2) does: `None` in the child, its pidfd in the parent.
fn clone_child() -> Result<Option<OwnedFd>> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    // The signal that the parent is sent when the child ends. wait(2) finds no child that has another.
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
    let home = std::fs::File::open(format!("/proc/{}/ns/uts", nix::unistd::getppid())).unwrap();
    _ = nix::sched::setns(home, nix::sched::CloneFlags::CLONE_NEWUTS);
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

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
