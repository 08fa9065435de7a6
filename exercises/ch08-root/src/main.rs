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
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

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
    leave()?;
    prepare_root(root, share)?;
    change_root(root)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into a mount namespace of its own, whose mounts do not
/// propagate in either direction.
fn leave() -> Result<()> {
    // TODO: as in chapter 7, but with private mounts. Man pages: unshare(2), mount_namespaces(7).
    Ok(())
}

/// Makes `root` a mount, and mounts this process's `/proc` in it, and `share`
/// read-only.
fn prepare_root(root: &Path, share: &Path) -> Result<()> {
    // TODO: make three bind mounts, the third of them read-only. Man pages: mount(2), mount(8).
    bind(root, share)
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    let _ = (source, target);
    Ok(())
}

/// Makes the mount at `root` this process's root directory, and detaches the
/// old root.
fn change_root(root: &Path) -> Result<()> {
    // TODO: change the root, and detach the old one. Man pages: pivot_root(2), umount2(2).
    let _ = root;
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
