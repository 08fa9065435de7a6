//! Named: the exit signal is not SIGCHLD
//! Points at: clone3(
//! The child is to announce its end by another signal.

use std::ffi::{CString, OsStr, OsString};
use std::mem;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{execvp, sethostname};

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

fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    let argv: Vec<CString> = std::iter::once(command)
        .chain(args.iter().map(|a| a.as_os_str()))
        .map(|w| CString::new(w.as_bytes()).unwrap())
        .collect();
    let (pid, fd) = born(BOTH, libc::SIGUSR1)?;
    if pid == 0 {
        if sethostname(name).is_ok() {
            _ = execvp(&argv[0], &argv);
        }
        unsafe { libc::_exit(127) }
    }
    end_of(&fd)
}

fn born(flags: u64, signal: i32) -> Result<(i64, OwnedFd)> {
    let mut pidfd: RawFd = -1;
    let mut a: libc::clone_args = unsafe { mem::zeroed() };
    a.flags = flags | libc::CLONE_PIDFD as u64;
    a.pidfd = &raw mut pidfd as u64;
    a.exit_signal = signal as u64;
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut a, size_of::<libc::clone_args>()) };
    Errno::result(pid).context("clone3")?;
    if pid == 0 {
        return Ok((0, unsafe { OwnedFd::from_raw_fd(libc::dup(2)) }));
    }
    Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

const BOTH: u64 = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC) as u64;

fn end_of(fd: &OwnedFd) -> Result<u8> {
    match waitid(Id::PIDFd(fd.as_fd()), WaitPidFlag::WEXITED).context("waitid")? {
        WaitStatus::Exited(_, code) => Ok(code as u8),
        WaitStatus::Signaled(_, signal, _) => Ok(128 + signal as u8),
        other => bail!("{other:?}"),
    }
}
