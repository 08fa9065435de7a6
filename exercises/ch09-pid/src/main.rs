//! ch09-pid: run a command as PID 1 of a new PID namespace, with a `/proc` of its own.
//!
//! Usage: `ch09-pid -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch09-pid -- sh -c 'echo $$; ls -d /proc/[0-9]*'
//! 1
//! /proc/1
//! ```
//!
//! Check it with `cargo xtask check ch9`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => {
            eprintln!("usage: ch09-pid -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` with `args` as PID 1 of a new PID namespace, with a `/proc` that shows this namespace.
/// Returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> ExitCode {
    // TODO: which process becomes PID 1, and which one waits for it? Man pages: unshare(2), fork(2),
    // pid_namespaces(7).
    // TODO: which process mounts /proc, and what keeps the mount out of the lab? Man pages: mount(2),
    // mount_namespaces(7), proc(5).
    // TODO: what does your caller learn when COMMAND ends, or cannot be started? Man pages: waitpid(2),
    // execve(2), _exit(2).
    _ = (command, args);
    ExitCode::SUCCESS
}
