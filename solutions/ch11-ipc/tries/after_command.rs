//! Named: the calls are in another order
//! Points at: shmget(
//! The segment and the queue are made when COMMAND has ended.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::ptr;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [key, text, dashes, command, args @ ..] if dashes == "--" => run(key, text, command, args),
        _ => Err(anyhow!("usage: ch11-ipc KEY TEXT -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch11-ipc: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
fn run(key: &OsStr, text: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    unshare(CloneFlags::CLONE_NEWIPC)?;
    let s = go(command, args)?;
    fill(key_of(key)?, text)?;
    queue(text)?;
    Ok(s)
}

fn key_of(key: &OsStr) -> Result<i32> {
    Ok(key.to_str().context("key")?.parse()?)
}

fn fill(key: i32, text: &OsStr) -> Result<()> {
    let id = Errno::result(unsafe {
        libc::shmget(key, text.len() + 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o600)
    })
    .context("shmget")?;
    let at = unsafe { libc::shmat(id, ptr::null(), 0) };
    if at as isize == -1 {
        bail!("shmat: {}", Errno::last())
    }
    unsafe {
        ptr::copy_nonoverlapping(text.as_bytes().as_ptr(), at.cast::<u8>(), text.len());
        libc::shmdt(at)
    };
    Ok(())
}

fn queue(text: &OsStr) -> Result<()> {
    let name = CString::new([b"/", text.as_bytes()].concat())?;
    let fd = Errno::result(unsafe {
        libc::mq_open(
            name.as_ptr(),
            libc::O_CREAT | libc::O_RDWR,
            0o600,
            ptr::null::<libc::mq_attr>(),
        )
    })
    .context("mq_open")?;
    unsafe { libc::close(fd) };
    Ok(())
}

fn go(command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    Command::new(command).args(args).status().context("execve")
}
