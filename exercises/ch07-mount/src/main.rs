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
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dir, text, dashes, command, args @ ..] if dashes == "--" => {
            run(Path::new(dir), text, command, args)
        }
        _ => Err(anyhow!("usage: ch07-mount DIR TEXT -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch07-mount: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with a mount on `dir` whose file `token` contains `text`, and waits for it.
fn run(dir: &Path, text: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    leave()?;
    mount_token(dir, text)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into a mount namespace of its own. Mounts made outside
/// propagate to it, but those it makes itself do not propagate outside.
fn leave() -> Result<()> {
    // TODO: leave the mount namespace. Man page: unshare(2).
    // TODO: let mounts propagate in, but not out. Man pages: mount_namespaces(7), mount(2).
    Ok(())
}

/// Mounts a tmpfs on `dir`, and writes `text` to the file `token` in it.
fn mount_token(dir: &Path, text: &OsStr) -> Result<()> {
    // TODO: mount a tmpfs, and then write the file. Man pages: mount(2), tmpfs(5).
    let _ = (dir, text);
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
