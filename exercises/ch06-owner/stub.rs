//! ch06-owner: run a command as root of its own namespaces.
//!
//! Usage: `ch06-owner NAME -- COMMAND [ARGS…]`
//!
//! When it is finished, for root and for an ordinary user alike:
//!
//! ```text
//! $ ch06-owner otter -- sh -c 'id -u; uname -n; ip link set lo up && echo up'
//! 0
//! otter
//! up
//! ```
//!
//! Check it with `cargo xtask check ch6`.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::unistd::{Gid, Uid, getegid, geteuid};

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
    // TODO: set the host name of the new UTS namespace. Man page: sethostname(2).
    let _ = name;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into four new namespaces, one of which owns the others.
fn leave() -> Result<()> {
    // TODO: move to new user, network, UTS and IPC namespaces, so that the first owns the rest.
    // Man pages: unshare(2), user_namespaces(7).
    let (uid, gid) = (geteuid(), getegid());
    become_root(uid, gid)
}

/// Maps 0 to your two ids, because execve(2) lets only uid 0 keep its capabilities.
fn become_root(uid: Uid, gid: Gid) -> Result<()> {
    // TODO: write your own three files. Man page: user_namespaces(7).
    let _ = (uid, gid);
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
