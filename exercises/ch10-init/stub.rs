//! ch10-init: run a command under a PID 1 that does the work of an init.
//!
//! Usage: `ch10-init -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch10-init -- sh -c 'echo $PPID $$; kill -TERM 1; sleep 9'
//! 1 2
//! # echo $?
//! 143
//! ```
//!
//! Check it with `cargo xtask check ch10`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use nix::sys::signal::Signal;

/// The signals that are passed on to COMMAND.
const PASSED_ON: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => Err(anyhow!("usage: ch10-init -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("ch10-init: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` under a PID 1 in a new PID namespace, and returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    // TODO: which processes are there until the end, and which of them is COMMAND? Man pages: unshare(2),
    // fork(2), pid_namespaces(7), _exit(2).
    // TODO: in which of them does a signal have to be kept from its default action, from when on, and in which
    // not? Man pages: sigprocmask(2), sigwait(3), signal(7).
    // TODO: whose ends are reported, how many with one SIGCHLD, and which one ends your loop? Man pages:
    // waitpid(2), kill(2).
    _ = (command, args, PASSED_ON);
    Ok(0)
}
