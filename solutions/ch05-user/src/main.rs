//! ch05-user, solved.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [uid, gid, dashes, command, args @ ..] if dashes == "--" => run(uid, gid, command, args),
        _ => Err(anyhow!("usage: ch05-user UID GID -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch05-user: {error:#}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: run
/// Runs `command` in a new user namespace where you are `uid` and `gid`, and waits for it.
fn run(uid: &OsStr, gid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    let (uid, gid) = (number(uid)?, number(gid)?);
    let (wait, mut go) = pipe().context("pipe()")?;
    let Some(pid) = birth()? else { child(wait, go, command, args) };
    // The child waits for one byte. Without it, at the pipe's end, it gives up.
    let mapped = map(pid, uid, gid).and_then(|()| go.write_all(b"g").context("write(pipe)"));
    drop(go);
    let status = waitpid(pid, None).context("waitpid()");
    mapped.and(status)
}
// ANCHOR_END: run

// ANCHOR: birth
/// fork(2) and one flag more. Returns twice: `None` in the child.
fn birth() -> Result<Option<Pid>> {
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    // SAFETY: without a stack the child runs on a copy of ours, and this process
    // has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match Errno::result(pid).context("clone(CLONE_NEWUSER)")? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid as i32))),
    }
}
// ANCHOR_END: birth

// ANCHOR: map
/// Gives your two ids names in the child's user namespace: `uid` and `gid`.
fn map(pid: Pid, uid: u32, gid: u32) -> Result<()> {
    for (file, text) in [
        // First: until then the kernel refuses gid_map.
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{uid} {} 1", geteuid())),
        ("gid_map", format!("{gid} {} 1", getegid())),
    ] {
        // One write(2) with all of it: a map can be written once.
        fs::write(format!("/proc/{pid}/{file}"), &text)
            .with_context(|| format!("write(/proc/{pid}/{file}, {text:?})"))?;
    }
    Ok(())
}
// ANCHOR_END: map

// ANCHOR: child
/// The child's whole life. It never returns: the code above is the parent's.
fn child(wait: PipeReader, go: PipeWriter, command: &OsStr, args: &[OsString]) -> ! {
    // The pipe ends when nobody can write to it any more, and we could.
    drop(go);
    if !matches!((&wait).read(&mut [0]), Ok(1)) {
        // The parent says why.
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch05-user: execve({command:?}): {error}");
    exit(127)
}
// ANCHOR_END: child

fn number(id: &OsStr) -> Result<u32> {
    let number = id.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{id:?} is not an id"))
}

/// The shell's convention: the exit status, or 128 and the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
