//! ch06-owner, which also leaves COMMAND a single capability: `ch06-owner NAME --keep NUMBER -- COMMAND`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, ensure};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid, sethostname};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, None, command, args),
        [name, keep, number, dashes, command, args @ ..] if keep == "--keep" && dashes == "--" => {
            run(name, Some(number), command, args)
        }
        _ => {
            eprintln!("usage: ch06-owner NAME [--keep NUMBER] -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` as root of a new user namespace, which owns the command's network, IPC and UTS
/// namespaces. Returns its exit status.
fn run(name: &OsStr, keep: Option<&OsString>, command: &OsStr, args: &[OsString]) -> ExitCode {
    match owned(name, keep, command, args) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch06-owner: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// COMMAND's end. After an error COMMAND is not started, because it would be root of less than it has to be.
fn owned(
    name: &OsStr,
    keep: Option<&OsString>,
    command: &OsStr,
    args: &[OsString],
) -> Result<ExitStatus> {
    leave()?;
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    if let Some(number) = keep {
        let number = number.to_str().and_then(|number| number.parse().ok());
        drop_all_but(number.context("--keep takes the number of a capability")?)?;
    }
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

/// Leaves one capability in the bounding set. This process keeps all that it has, so it may go on with
/// the next one; execve(2) gives uid 0 those of the bounding set, and no others.
fn drop_all_but(kept: u32) -> Result<()> {
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").context("cap_last_cap")?;
    let last: u32 = last.trim().parse().context("cap_last_cap")?;
    ensure!(kept <= last, "there is no capability {kept}");
    for number in (0..=last).filter(|number| *number != kept) {
        // SAFETY: takes five integers.
        let dropped =
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) };
        Errno::result(dropped).with_context(|| format!("prctl(PR_CAPBSET_DROP, {number})"))?;
    }
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
