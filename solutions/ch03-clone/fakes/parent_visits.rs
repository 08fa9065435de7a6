//! Refused by step 1: the parent does not stay: it enters the child's UTS namespace for a moment, to set the name itself.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{PipeReader, Read as _, Write as _, pipe};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::sethostname;

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
    let (reader, writer) = pipe().context("pipe()")?;
    match clone_child()? {
        None => {
            drop(writer);
            child(reader, command, args)
        }
        Some(pidfd) => {
            drop(reader);
            // The child waits for one byte, so it has its name when COMMAND starts.
            let named = set_name(&pidfd, name)
                .and_then(|()| (&writer).write_all(b"g").context("write(pipe)"));
            drop(writer);
            // Unlike the pid, the descriptor can only mean this child.
            let child = Id::PIDFd(pidfd.as_fd());
            let status = waitid(child, WaitPidFlag::WEXITED).context("waitid(P_PIDFD)");
            named.and(status)
        }
    }
}

/// Sets the host name of the child's UTS namespace.
fn set_name(pidfd: &OwnedFd, name: &OsStr) -> Result<()> {
    let own = File::open("/proc/self/ns/uts").context("open(ns/uts)")?;
    setns(pidfd, CloneFlags::CLONE_NEWUTS).context("setns(pidfd, CLONE_NEWUTS)")?;
    let named = sethostname(name).with_context(|| format!("sethostname({name:?})"));
    setns(&own, CloneFlags::CLONE_NEWUTS).context("setns(own, CLONE_NEWUTS)")?;
    named
}

/// Makes the child. Returns twice, as fork(2) does: `None` in the child, its
/// pidfd in the parent.
fn clone_child() -> Result<Option<OwnedFd>> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    // The signal to the parent when the child ends. clone(2) takes it in the low
    // bits of its flags; here it has a field of its own.
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
fn child(reader: PipeReader, command: &OsStr, args: &[OsString]) -> ! {
    if !matches!((&reader).read(&mut [0]), Ok(1)) {
        // The parent reports the reason.
        exit(1);
    }
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
