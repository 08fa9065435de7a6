//! Named: the program goes back before COMMAND
//! Points at: setns(
//! The program has made the mount, and goes home before it starts COMMAND.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

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
    match with_token(dir, text, command, args) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch07-mount: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// COMMAND's end. After an error COMMAND is not started: it would find no token, or mount for the lab.
fn with_token(dir: &Path, text: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    let home = fs::File::open("/proc/self/ns/mnt").context("open")?;
    leave()?;
    mount_token(dir, text)?;
    nix::sched::setns(&home, CloneFlags::CLONE_NEWNS).context("setns")?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into a mount namespace of its own. Mounts made outside propagate into it, but what
/// is mounted inside does not propagate outside.
fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    // The copies are peers of the originals. MS_REC changes all of them, not only
    // the mount on `/`.
    let slave = MsFlags::MS_REC | MsFlags::MS_SLAVE;
    let none = None::<&str>;
    mount(none, "/", none, slave, none).context("mount(\"/\", MS_REC | MS_SLAVE)")
}

/// Mounts a tmpfs on `dir`, and writes `text` to the file `token` in it.
fn mount_token(dir: &Path, text: &OsStr) -> Result<()> {
    let tmpfs = Some("tmpfs");
    mount(tmpfs, dir, tmpfs, MsFlags::empty(), Some("size=64k"))
        .with_context(|| format!("mount(\"tmpfs\", {dir:?})"))?;
    let token = dir.join("token");
    fs::write(&token, text.as_encoded_bytes()).with_context(|| format!("write({token:?})"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
