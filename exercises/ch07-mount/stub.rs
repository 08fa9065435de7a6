//! ch07-mount: run a command with a mount that no other process sees.
//!
//! Usage: `ch07-mount DIR TEXT -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch07-mount /mnt otter -- cat /mnt/token; echo
//! otter
//! # ls /mnt
//! #
//! ```
//!
//! Check it with `cargo xtask check ch7`.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [dir, text, dashes, command, args @ ..] if dashes == "--" => {
            run(Path::new(dir), text, command, args)
        }
        _ => {
            eprintln!("usage: ch07-mount DIR TEXT -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` with a tmpfs on `dir` whose file `token` contains `text`. Returns its exit status.
fn run(dir: &Path, text: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    // TODO: which mounts does a new namespace start with, and to which others do they still propagate?
    // Man pages: unshare(2), mount_namespaces(7).
    // TODO: what has to be on DIR before the file is written? Man pages: mount(2), tmpfs(5).
    // TODO: run COMMAND, but not if one of the calls has failed. Man pages: execve(2), wait(2).
    _ = (dir, text, command, args);
    ExitCode::SUCCESS
}
