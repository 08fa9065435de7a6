//! Named: COMMAND is root without a capability
//! As a daemon does that wants no privileges by way of files.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid, sethostname};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => {
            eprintln!("usage: ch06-owner NAME -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` as root of a new user namespace, which owns the command's network, IPC and UTS
/// namespaces. Returns its exit status.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    match owned(name, command, args) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch06-owner: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// COMMAND's end. After an error COMMAND is not started, because it would be root of less than it has to be.
fn owned(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    leave()?;
    // SAFETY: this prctl takes only integers.
    unsafe { nix::libc::prctl(nix::libc::PR_SET_SECUREBITS, 1, 0, 0, 0) };
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into four new namespaces, one of which owns the others.
fn leave() -> Result<()> {
    // Read now, because after unshare(2) both are 65534 until they are mapped.
    let (uid, gid) = (geteuid(), getegid());
    let owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    // With several flags, the kernel makes the user namespace first.
    unshare(CloneFlags::CLONE_NEWUSER | owned)
        .context("unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC)")?;
    become_root(uid, gid)
}

/// Maps 0 to your two ids, because execve(2) lets only uid 0 keep its capabilities.
fn become_root(uid: Uid, gid: Gid) -> Result<()> {
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ] {
        fs::write(format!("/proc/self/{file}"), &text)
            .with_context(|| format!("write(/proc/self/{file}, {text:?})"))?;
    }
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
