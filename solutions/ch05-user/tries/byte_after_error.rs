//! Named: COMMAND is started although a map was refused
//! The byte is sent in any case, and the errors are looked at later.

use std::ffi::{OsStr, OsString};
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::sys::wait::WaitStatus;
use nix::sys::wait::waitpid;
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

fn cl(flags: i32) -> Result<i32> {
    let p = unsafe {
        libc::syscall(libc::SYS_clone, (flags | libc::SIGCHLD) as libc::c_long, 0, 0, 0, 0)
    };
    if p < 0 {
        return Err(std::io::Error::last_os_error()).context("clone");
    }
    Ok(p as i32)
}
fn put(pid: i32, f: &str, t: &str) -> Result<()> {
    std::fs::write(format!("/proc/{pid}/{f}"), t).with_context(|| format!("write {f}"))
}
fn end(s: i32) -> ! {
    unsafe { libc::_exit(s) }
}
fn go(r: PipeReader, w: PipeWriter, command: &OsStr, args: &[OsString]) -> ! {
    drop(w);
    if !matches!((&r).read(&mut [0]), Ok(1)) {
        end(1)
    }
    let e = Command::new(command).args(args).exec();
    eprintln!("{e}");
    end(127)
}
fn fin(pid: i32) -> Result<WaitStatus> {
    waitpid(Pid::from_raw(pid), None).context("waitpid")
}

fn run(uid: &OsStr, gid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    let (uid, gid) = (number(uid)?, number(gid)?);
    let (r, mut w) = pipe()?;
    let p = cl(libc::CLONE_NEWUSER)?;
    if p == 0 {
        go(r, w, command, args)
    }
    let a = put(p, "setgroups", "deny");
    let b = put(p, "uid_map", &format!("{uid} {} 1", geteuid()));
    let c = put(p, "gid_map", &format!("{gid} {} 1", getegid()));
    w.write_all(b"x")?;
    let s = fin(p)?;
    a?;
    b?;
    c?;
    Ok(s)
}
