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
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => {
            eprintln!("usage: ch06-owner NAME -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` as root of a new user namespace, which owns the command's network, IPC and UTS
/// namespaces. Returns its exit status.
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    // TODO: in one call or in several, and in which order? What has to be read before the first of them?
    // Man pages: unshare(2), user_namespaces(7).
    // TODO: which capabilities does COMMAND have after its execve(2), and what has to be true before?
    // Man pages: capabilities(7), user_namespaces(7).
    // TODO: in which of the namespaces is the name set, and what if one of the calls fails? Man pages:
    // sethostname(2), uts_namespaces(7).
    _ = (name, command, args);
    ExitCode::SUCCESS
}
