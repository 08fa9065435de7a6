//! Refused by step 2: when root starts it, the IPC namespace is made before the user namespace, so the lab's owns it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid, sethostname};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow!("usage: ch06-owner NAME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch06-owner: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` as root of a new user namespace, which owns the command's
/// network, IPC and UTS namespaces, and waits for it.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    leave()?;
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into four new namespaces, one of which owns the others.
fn leave() -> Result<()> {
    // Read now, because after unshare(2) both are 65534 until they are mapped.
    let (uid, gid) = (geteuid(), getegid());
    let mut owned = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS;
    // Who may do so makes it at once. For all others it comes with the user namespace.
    if unshare(CloneFlags::CLONE_NEWIPC).is_err() {
        owned |= CloneFlags::CLONE_NEWIPC;
    }
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
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
