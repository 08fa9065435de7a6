//! ch02-unshare: run a command under a host name that no other process sees.
//!
//! Usage: `ch02-unshare NAME -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch02-unshare otter -- hostname
//! otter
//! # hostname
//! lab
//! ```
//!
//! Check it with `cargo xtask check ch2`.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => {
            eprintln!("usage: ch02-unshare NAME -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` with `args` in a new UTS namespace whose host name is `name`. Returns its exit status.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    // TODO: which process has to move, when is it renamed, and what if one of the calls fails? Man
    // pages: unshare(2), sethostname(2), uts_namespaces(7).
    _ = (name, command, args);
    ExitCode::SUCCESS
}
