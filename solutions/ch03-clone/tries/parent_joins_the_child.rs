//! Named: the parent joins the child's namespace
//! The parent enters the child's UTS namespace to set the name, and stays there.

use std::ffi::{CString, OsStr, OsString};
use std::mem;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{self, execvp, pipe, sethostname};

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
    let (from_parent, to_child) = pipe()?;
    let (pid, fd) = born((libc::CLONE_NEWUTS | libc::CLONE_NEWIPC) as u64, libc::SIGCHLD)?;
    if pid == 0 {
        drop(to_child);
        let mut byte = [0];
        if unistd::read(&from_parent, &mut byte) == Ok(1) {
            _ = execvp(&argv[0], &argv);
        }
        unsafe { libc::_exit(127) }
    }
    setns(&fd, CloneFlags::CLONE_NEWUTS).context("setns")?;
    sethostname(name).context("sethostname")?;
    unistd::write(&to_child, b"x")?;
    match waitid(Id::PIDFd(fd.as_fd()), WaitPidFlag::WEXITED)? {
        WaitStatus::Exited(_, code) => Ok(code as u8),
        WaitStatus::Signaled(_, signal, _) => Ok(128 + signal as u8),
        other => bail!("{other:?}"),
    }
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
