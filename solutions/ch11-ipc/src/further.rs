//! ch11-ipc, which also finds a segment that was left, in whatever IPC namespace it is.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, ExitCode, ExitStatus};
use std::ptr;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::kill;
use nix::unistd::Pid;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [word, key, dashes, command, args @ ..] if word == "--abandoned" && dashes == "--" => {
            run_beside(key, command, args)
        }
        [key, text, dashes, command, args @ ..] if dashes == "--" => run(key, text, command, args),
        _ => Err(anyhow!("usage: ch11-ipc (KEY TEXT | --abandoned KEY) -- COMMAND [ARGS…]")),
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
    let key = number(key)?;
    leave()?;
    fill(key, text)?;
    open_queue(text)?;
    wait_for(command, args)
}

/// Runs `command` in the IPC namespace that has a segment under `key` whose creator has ended.
fn run_beside(key: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    enter(number(key)?)?;
    wait_for(command, args)
}

fn wait_for(command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

fn number(key: &OsStr) -> Result<libc::key_t> {
    let number = key.to_str().and_then(|key| key.parse().ok());
    number.with_context(|| format!("{key:?} is not a key"))
}

/// Moves this process from one IPC namespace to the next, until it is in the one that is looked for.
fn enter(key: libc::key_t) -> Result<()> {
    for entry in fs::read_dir("/proc").context("open(\"/proc\")")? {
        let path = entry.context("getdents64(\"/proc\")")?.path().join("ns/ipc");
        // Not every entry is a process, and some end meanwhile or are another user's.
        let Ok(namespace) = File::open(path) else { continue };
        if setns(namespace, CloneFlags::CLONE_NEWIPC).is_ok() && is_abandoned(key)? {
            return Ok(());
        }
    }
    bail!("no IPC namespace has an abandoned segment under {key}")
}

/// Whether this process's IPC namespace has a segment under `key`, and the process that created it is gone.
fn is_abandoned(key: libc::key_t) -> Result<bool> {
    // SAFETY: shmget takes only integers.
    let id = unsafe { libc::shmget(key, 0, 0) };
    if id == -1 && Errno::last() == Errno::ENOENT {
        return Ok(false);
    }
    let id = Errno::result(id).context("shmget()")?;
    // SAFETY: all zeroes are a valid shmid_ds, and IPC_STAT fills it.
    let creator = unsafe {
        let mut facts: libc::shmid_ds = std::mem::zeroed();
        Errno::result(libc::shmctl(id, libc::IPC_STAT, &raw mut facts))
            .context("shmctl(IPC_STAT)")?;
        facts.shm_cpid
    };
    Ok(kill(Pid::from_raw(creator), None) == Err(Errno::ESRCH))
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
