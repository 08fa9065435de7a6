//! ch02-unshare, which also runs several commands at once: `--and NAME -- COMMAND [ARGS…]`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&words) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch02-unshare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all commands at once. Returns the end of the first.
fn run(words: &[OsString]) -> Result<ExitStatus> {
    let (mut children, mut failed) = (Vec::new(), None);
    for words in words.split(|word| word == "--and") {
        match start(words) {
            Ok(child) => children.push(child),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    // Every child that was started is waited for, also after a failure.
    let mut ends = Vec::new();
    for mut child in children {
        ends.push(child.wait().context("wait4()")?);
    }
    match failed {
        Some(error) => Err(error),
        None => ends.first().copied().ok_or_else(usage),
    }
}

/// Starts one command. It moves by itself, between fork and exec, so its parent stays where it is.
fn start(words: &[OsString]) -> Result<Child> {
    let [name, dashes, command, args @ ..] = words else { return Err(usage()) };
    if dashes != "--" {
        return Err(usage());
    }
    let name: OsString = name.clone();
    let shown = format!("unshare(CLONE_NEWUTS), sethostname({name:?}), execve({command:?})");
    let mut child = Command::new::<&OsStr>(command);
    child.args(args);
    let moves = move || {
        unshare(CloneFlags::CLONE_NEWUTS)?;
        sethostname(&name)?;
        Ok(())
    };
    // SAFETY: the closure makes two system calls and allocates nothing, so it may run in a child that
    // was forked from a process with threads.
    unsafe { child.pre_exec(moves) };
    child.spawn().context(shown)
}

fn usage() -> anyhow::Error {
    anyhow!("usage: ch02-unshare NAME -- COMMAND [ARGS…] [--and NAME -- COMMAND [ARGS…]]…")
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
