//! ch05-user: run a command under other ids, without being root.
//!
//! Usage: `ch05-user UID GID -- COMMAND [ARGS…]`
//!
//! When it is finished, for an ordinary user whose uid is 1000:
//!
//! ```text
//! $ ch05-user 0 0 -- id -u
//! 0
//! $ ch05-user 7 8 -- cat /proc/self/uid_map
//!          7       1000          1
//! ```
//!
//! It exits with COMMAND's status, with 128 plus the signal's number if a signal ended COMMAND, and
//! with 127 if COMMAND could not be executed. Check it with `cargo xtask check ch5`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::sys::wait::WaitStatus;

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

/// Runs `command` in a new user namespace, where your ids are `uid` and `gid`, and waits for it.
fn run(uid: &OsStr, gid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    let (uid, gid) = (number(uid)?, number(gid)?);
    // TODO: which process has to be in the new user namespace, and which one writes the files that
    // map its ids? Man pages: clone(2), user_namespaces(7).
    // TODO: how does the process that becomes COMMAND find out that it may go on, or that it must
    // not? Man pages: pipe(2), pipe(7).
    // TODO: how does each of your processes end, also after an error? Man pages: execve(2), _exit(2),
    // waitpid(2).
    _ = (uid, gid, command, args);
    bail!("COMMAND is not started yet")
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
