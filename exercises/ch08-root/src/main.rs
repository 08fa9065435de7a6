//! ch08-root: run a command with another root directory, and no way back.
//!
//! Usage: `ch08-root ROOT SHARE -- COMMAND [ARGS…]`
//!
//! ROOT is a directory that contains COMMAND and two empty directories, `proc` and `share`. When the
//! program is finished:
//!
//! ```text
//! # ls /tmp/tree
//! bin  dev  lib  lib64  proc  share  usr
//! # ch08-root /tmp/tree /tmp/notes -- ls /
//! bin  dev  lib  lib64  proc  share  usr
//! # ch08-root /tmp/tree /tmp/notes -- touch /share/note
//! touch: cannot touch '/share/note': Read-only file system
//! ```
//!
//! Check it with `cargo xtask check ch8`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [root, share, dashes, command, args @ ..] if dashes == "--" => {
            run(Path::new(root), Path::new(share), command, args)
        }
        _ => Err(anyhow!("usage: ch08-root ROOT SHARE -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch08-root: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with `root` as its root directory, in which `/proc` is mounted and `/share` shows
/// `share`, and waits for it.
fn run(root: &Path, share: &Path, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    // TODO: where may mounts be made so that the lab does not see them, and which have to be made while
    // the old paths still exist? Man pages: unshare(2), mount_namespaces(7), mount(2), statvfs(3).
    // TODO: what has to be true of the new root before it can be one? Man pages: pivot_root(2).
    // TODO: which ways back are left, and what closes each? Man pages: umount2(2), chdir(2), open(2).
    // TODO: when is COMMAND started, and what if a call fails before? Man pages: execve(2), waitpid(2).
    _ = (root, share, command, args);
    Ok(ExitStatus::default())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
