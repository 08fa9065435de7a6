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
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use nix::sys::wait::WaitStatus;

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
    // TODO: when is the cgroup made, when are its limits written, and when can it be removed, also after an
    // error? Man pages: cgroups(7), mkdir(2), rmdir(2).
    _ = (Path::new(CGROUPS).join(name), limits);
    run(None, command, args)
}

/// Runs `command` in `cgroup`, or in the current one, and waits for it. It sees its cgroup as `/`.
fn run(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // TODO: which process moves to the cgroup, which leaves the namespaces, and in which order? Man pages:
    // fork(2), cgroups(7), unshare(2), _exit(2).
    // TODO: what has to happen before /sys/fs/cgroup can show another part of the tree, and to COMMAND alone?
    // Man pages: cgroup_namespaces(7), mount(2), umount(2).
    _ = (cgroup, command, args);
    Ok(WaitStatus::StillAlive)
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
