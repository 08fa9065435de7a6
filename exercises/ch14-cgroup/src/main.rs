//! ch14-cgroup: run a command that sees its cgroup as `/`, optionally in a new cgroup with limits.
//!
//! Usage: `ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch14-cgroup otter 20 64000000 -- sh -c 'grep ^0:: /proc/self/cgroup; cat /sys/fs/cgroup/pids.max'
//! 0::/
//! 20
//! ```
//!
//! Meanwhile, a process outside that reads the command's file sees `0::/otter`.
//!
//! Check it with `cargo xtask check ch14`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Where the cgroups of version 2 are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (options, rest) = words.split_at(dashes);
    let outcome = match (options, rest) {
        ([], [_, command, args @ ..]) => run(None, command, args),
        ([name], [_, command, args @ ..]) => in_cgroup(name, &[], command, args),
        ([name, pids, memory], [_, command, args @ ..]) => {
            let limits = [("pids.max", pids.as_os_str()), ("memory.max", memory.as_os_str())];
            in_cgroup(name, &limits, command, args)
        }
        _ => Err(anyhow!("usage: ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch14-cgroup: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` in a new cgroup with these limits, and removes the cgroup afterwards.
fn in_cgroup(
    name: &OsStr,
    limits: &[(&str, &OsStr)],
    command: &OsStr,
    args: &[OsString],
) -> Result<WaitStatus> {
    let cgroup = make(name, limits)?;
    // TODO: remove the cgroup after `command` has ended. Man pages: cgroups(7), rmdir(2).
    run(Some(&cgroup), command, args)
}

/// Makes a cgroup and sets its limits, each of which is a file and the text to write to it.
fn make(name: &OsStr, limits: &[(&str, &OsStr)]) -> Result<PathBuf> {
    let cgroup = Path::new(CGROUPS).join(name);
    fs::create_dir(&cgroup).with_context(|| format!("mkdir({cgroup:?})"))?;
    // TODO: write each limit to its file. Man page: cgroups(7).
    let _ = limits;
    Ok(cgroup)
}

/// Runs `command` in `cgroup`, or in the current one, and waits for it. It sees its cgroup as `/`.
fn run(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        // Only the child moves, because a cgroup with a process in it cannot be removed.
        ForkResult::Child => child(cgroup, command, args),
        ForkResult::Parent { child } => waitpid(child, None).context("waitpid()"),
    }
}

/// Runs in the child and never returns, because the code above is the parent's.
fn child(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> ! {
    if let Err(error) = cgroup.map_or(Ok(()), join).and_then(|()| own_view()) {
        eprintln!("ch14-cgroup: {error:#}");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch14-cgroup: execve({command:?}): {error}");
    exit(127)
}

/// Moves this process into a cgroup.
fn join(cgroup: &Path) -> Result<()> {
    // TODO: move this process to the cgroup. Man page: cgroups(7).
    let _ = cgroup;
    Ok(())
}

/// Makes this process see its current cgroup as `/`, also at `/sys/fs/cgroup`.
fn own_view() -> Result<()> {
    // TODO: move to a new cgroup namespace and a private copy of the mounts, and replace the `cgroup2` mount with a new one. Man pages: cgroup_namespaces(7), unshare(2), umount(2), mount(2).
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
