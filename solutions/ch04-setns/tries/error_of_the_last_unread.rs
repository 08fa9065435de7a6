//! Named: one of the three namespaces is left out after an error
//! Joins one namespace after the other, and reads the result of all but the last.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [pid, dashes, command, args @ ..] if dashes == "--" => run(pid, command, args),
        [word, pid, path] if word == "pin" => pin(pid, path).map(|()| 0),
        _ => Err(anyhow!("usage: ch04-setns PID -- COMMAND [ARGS…], or ch04-setns pin PID PATH")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch04-setns: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with `args` in the UTS, IPC and network namespaces of the process `pid`. Returns its
/// exit status.
fn run(pid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    join(number(pid)?)?;
    let status = Command::new(command).args(args).status();
    status.map(exit_code).with_context(|| format!("execve({command:?})"))
}

/// Moves this process into the UTS, IPC and network namespaces of the process `pid`.
fn join(pid: i32) -> Result<()> {
    // If the process ends, the kernel may give its pid to another process. The
    // descriptor can only mean this one.
    // SAFETY: pidfd_open takes two integers, and nothing else owns the new descriptor.
    let target = unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        OwnedFd::from_raw_fd(Errno::result(fd).context("pidfd_open()")? as RawFd)
    };
    // With a pidfd, one call joins all three namespaces or none.
    setns(&target, CloneFlags::CLONE_NEWUTS).context("setns(CLONE_NEWUTS)")?;
    setns(&target, CloneFlags::CLONE_NEWIPC).context("setns(CLONE_NEWIPC)")?;
    _ = setns(&target, CloneFlags::CLONE_NEWNET);
    Ok(())
}

/// Keeps the UTS namespace of the process `pid` alive at `path`, without a process.
fn pin(pid: &OsStr, path: &OsStr) -> Result<()> {
    let namespace = format!("/proc/{}/ns/uts", number(pid)?);
    // A bind mount needs a mount point, for which an empty file will do.
    File::create(path).with_context(|| format!("creat({path:?})"))?;
    let none = None::<&str>;
    mount(Some(namespace.as_str()), path, none, MsFlags::MS_BIND, none)
        .with_context(|| format!("mount({namespace:?}, {path:?}, MS_BIND)"))
}

fn number(pid: &OsStr) -> Result<i32> {
    let number = pid.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{pid:?} is not a pid"))
}

/// COMMAND's status. A process that a signal has killed has none; then it is as in a shell, 128 and the
/// signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
