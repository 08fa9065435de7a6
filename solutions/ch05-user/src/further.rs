//! ch05-user, which also nests user namespaces: `ch05-user UID GID [UID GID]… -- COMMAND [ARGS…]`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut parts = words.splitn(2, |word| word == "--");
    let outcome = match [parts.next(), parts.next()] {
        [Some(ids), Some(command)] if !command.is_empty() => start(ids, command),
        _ => Err(usage()),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch05-user: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> anyhow::Error {
    anyhow!("usage: ch05-user UID GID [UID GID]… -- COMMAND [ARGS…]")
}

fn start(words: &[OsString], command: &[OsString]) -> Result<WaitStatus> {
    let ids = words.iter().map(|word| number(word)).collect::<Result<Vec<u32>>>()?;
    let (pairs, rest) = ids.as_chunks();
    if rest.is_empty() { run(pairs, command) } else { Err(usage()) }
}

/// Runs `command` in as many user namespaces as there are pairs of ids, each in the one before, and
/// waits for it.
fn run(pairs: &[[u32; 2]], command: &[OsString]) -> Result<WaitStatus> {
    let ([uid, gid], inner) = pairs.split_first().ok_or_else(usage)?;
    let (reader, mut writer) = pipe().context("pipe()")?;
    let Some(pid) = clone_child()? else { child(reader, writer, inner, command) };
    // The child waits for one byte. If the pipe ends without it, the child gives up.
    let mapped = map(pid, *uid, *gid).and_then(|()| writer.write_all(b"g").context("write(pipe)"));
    drop(writer);
    let status = waitpid(pid, None).context("waitpid()");
    mapped.and(status)
}

/// fork(2) with one more flag. Returns twice: `None` in the child.
fn clone_child() -> Result<Option<Pid>> {
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's,
    // and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match Errno::result(pid).context("clone(CLONE_NEWUSER)")? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid as i32))),
    }
}

/// Maps `uid` and `gid` in the child's user namespace to your own two ids.
fn map(pid: Pid, uid: u32, gid: u32) -> Result<()> {
    for (file, text) in [
        // Without privilege outside, the kernel refuses gid_map until this is written.
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{uid} {} 1", geteuid())),
        ("gid_map", format!("{gid} {} 1", getegid())),
    ] {
        // A map can be written only once, so it takes one write(2) with all of it.
        fs::write(format!("/proc/{pid}/{file}"), &text)
            .with_context(|| format!("write(/proc/{pid}/{file}, {text:?})"))?;
    }
    Ok(())
}

/// Runs in the child and never returns, because the code above is the parent's.
fn child(reader: PipeReader, writer: PipeWriter, inner: &[[u32; 2]], command: &[OsString]) -> ! {
    // The pipe ends only when every copy of its write end is closed, and this is one.
    drop(writer);
    if !matches!((&reader).read(&mut [0]), Ok(1)) {
        // The parent reports the reason.
        end(1);
    }
    if inner.is_empty() {
        let error = Command::new(&command[0]).args(&command[1..]).exec();
        eprintln!("ch05-user: execve({:?}): {error}", command[0]);
        end(127)
    }
    // This process has not executed anything, so it still has every capability here. It writes the next
    // maps with its own ids, which are those of this namespace by now.
    match run(inner, command) {
        Ok(status) => end(exit_code(status).into()),
        Err(error) => {
            eprintln!("ch05-user: {error:#}");
            end(1)
        }
    }
}

/// Ends the child. Unlike `std::process::exit`, _exit(2) neither runs the handlers nor writes the buffers
/// that the child has copied from its parent.
fn end(status: i32) -> ! {
    // SAFETY: takes an integer and does not return.
    unsafe { libc::_exit(status) }
}

fn number(id: &OsStr) -> Result<u32> {
    let number = id.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{id:?} is not an id"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
