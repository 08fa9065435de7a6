//! Named: setns(2) is given no open descriptor
//! The two arguments are exchanged.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::{Result, anyhow};
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

fn pidfd(pid: &OsStr, flags: u32) -> Result<OwnedFd> {
    let p: i32 = pid.to_str().context("pid")?.parse()?;
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, p, flags) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error()).context("pidfd_open");
    }
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
const THREE: CloneFlags =
    CloneFlags::CLONE_NEWUTS.union(CloneFlags::CLONE_NEWIPC).union(CloneFlags::CLONE_NEWNET);
fn start(command: &OsStr, args: &[OsString]) -> Result<u8> {
    Ok(Command::new(command).args(args).status()?.code().unwrap_or(1) as u8)
}

fn run(pid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    let fd = pidfd(pid, 0)?;
    if unsafe { libc::setns(THREE.bits(), fd.as_raw_fd()) } < 0 {
        return Err(std::io::Error::last_os_error()).context("setns");
    }
    start(command, args)
}
fn pin(pid: &OsStr, path: &OsStr) -> Result<()> {
    std::fs::File::create(path)?;
    mount(
        Some(&*format!("/proc/{}/ns/uts", pid.to_str().unwrap())),
        path,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .context("mount")
}
