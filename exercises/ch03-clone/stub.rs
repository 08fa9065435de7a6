//! ch03-clone: run a command in a child that is born in new namespaces.
//!
//! Usage: `ch03-clone NAME -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch03-clone otter -- sh -c 'hostname; readlink /proc/self/ns/ipc'
//! otter
//! ipc:[4026532002]
//! # hostname; readlink /proc/self/ns/ipc
//! lab
//! ipc:[4026532001]
//! ```
//!
//! Check it with `cargo xtask check ch3`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::{Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow!("usage: ch03-clone NAME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch03-clone: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with `args` in a child that is born in new UTS and IPC namespaces, under the host name
/// `name`. Returns the exit status for this program.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    // TODO: make the child and its pidfd in one call. Man pages: clone(2), pidfd_open(2).
    // TODO: which of the two processes sets the name, and how does the child end if it cannot become
    // COMMAND? Man pages: sethostname(2), execve(2), _exit(2).
    // TODO: wait for the child, and turn its end into a status. Man page: waitid(2).
    _ = (name, command, args);
    Ok(0)
}
