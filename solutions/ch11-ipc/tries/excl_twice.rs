//! Named: your program gave up
//! Points at: shmget(
//! The segment is made by one call and filled by another, which makes it again.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, ExitCode, ExitStatus};
use std::ptr;

use anyhow::{Context as _, Result, anyhow, ensure};
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

/// Runs `command` with a segment under `key` that contains `text`, and a queue `/text`, and waits for
/// it.
fn run(key: &OsStr, text: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    let number = key.to_str().and_then(|key| key.parse().ok());
    let key: libc::key_t = number.with_context(|| format!("{key:?} is not a key"))?;
    leave()?;
    fill(key, text)?;
    fill(key, text)?;
    open_queue(text)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into an IPC namespace of its own, which is empty.
fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWIPC).context("unshare(CLONE_NEWIPC)")
}

/// Makes a System V shared memory segment of 4096 bytes under `key`, and writes `text` to it.
fn fill(key: libc::key_t, text: &OsStr) -> Result<()> {
    const SIZE: usize = 4096;
    ensure!(text.len() < SIZE, "{text:?} does not fit");
    // IPC_EXCL: a new segment or an error, but never one that exists already.
    // SAFETY: shmget takes only integers.
    let id = unsafe { libc::shmget(key, SIZE, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    let id = Errno::result(id).context("shmget()")?;
    // SAFETY: with a null address the kernel chooses a free one.
    let start = unsafe { libc::shmat(id, ptr::null(), 0) };
    ensure!(start as isize != -1, anyhow!(Errno::last()).context("shmat()"));
    // A new segment is all zeroes, so the text needs no zero byte.
    // SAFETY: SIZE bytes are mapped there, which is more than the text, and they are not used
    // after they are detached.
    unsafe {
        ptr::copy_nonoverlapping(text.as_bytes().as_ptr(), start.cast(), text.len());
        libc::shmdt(start);
    }
    Ok(())
}

/// Makes the POSIX message queue `/name`.
fn open_queue(name: &OsStr) -> Result<()> {
    let path = CString::new([b"/", name.as_bytes()].concat())?;
    let (flags, mode) = (libc::O_CREAT | libc::O_EXCL | libc::O_RDWR, 0o600);
    // SAFETY: the name is a C string, and a null pointer requests the default sizes.
    let queue = unsafe { libc::mq_open(path.as_ptr(), flags, mode, ptr::null::<libc::mq_attr>()) };
    let queue = Errno::result(queue).with_context(|| format!("mq_open({path:?})"))?;
    // Like a file, the queue remains when its descriptor is closed.
    // SAFETY: on Linux a queue is a file descriptor, and nothing else owns this one.
    drop(unsafe { OwnedFd::from_raw_fd(queue) });
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
