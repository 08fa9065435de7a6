//! ch14-cgroup: run a command that sees its cgroup as `/`, in a new cgroup with limits if you like.
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
//! Meanwhile the same file says `0::/otter` to everybody outside.
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
    let (ours, commands) = words.split_at(dashes);
    let outcome = match (ours, commands) {
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

/// Runs `command` in a new cgroup with these limits, which is gone afterwards.
fn in_cgroup(
    name: &OsStr,
    limits: &[(&str, &OsStr)],
    command: &OsStr,
    args: &[OsString],
) -> Result<WaitStatus> {
    let cgroup = make(name, limits)?;
    // TODO: remove the cgroup when `command` has ended. Man pages: cgroups(7), rmdir(2).
    run(Some(&cgroup), command, args)
}

/// Makes a cgroup and sets its limits: each is a file and what to write to it.
fn make(name: &OsStr, limits: &[(&str, &OsStr)]) -> Result<PathBuf> {
    let cgroup = Path::new(CGROUPS).join(name);
    fs::create_dir(&cgroup).with_context(|| format!("mkdir({cgroup:?})"))?;
    // TODO: write each limit to its file. Man page: cgroups(7).
    let _ = limits;
    Ok(cgroup)
}

/// Runs `command` in the cgroup, or in ours, and waits for it. It sees that cgroup as `/`.
fn run(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        // Only the child goes in. A cgroup with somebody in it cannot be removed.
        ForkResult::Child => child(cgroup, command, args),
        ForkResult::Parent { child } => waitpid(child, None).context("waitpid()"),
    }
}

/// The child's whole life. It never returns: the code above is the parent's.
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
    // TODO: move this process there. Man page: cgroups(7).
    let _ = cgroup;
    Ok(())
}

/// Makes the cgroup that this process is in its `/`, and shows that at `/sys/fs/cgroup`.
fn own_view() -> Result<()> {
    // TODO: leave for a new cgroup namespace and a private copy of the mounts, and put a new `cgroup2` in the old one's place. Man pages: cgroup_namespaces(7), unshare(2), umount(2), mount(2).
    Ok(())
}

/// The shell's convention: the exit status, or 128 and the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
