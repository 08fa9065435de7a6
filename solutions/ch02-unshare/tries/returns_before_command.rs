//! Named: the program goes back before COMMAND
//! Points at: setns(
//! The program gives the name, and goes home before it starts COMMAND.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

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
    match renamed(name, command, args) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch02-unshare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// COMMAND's end. After an error COMMAND is not started, because it would run under the lab's name.
fn renamed(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    // The new namespace is a copy, which still has the old name.
    let home = std::fs::File::open("/proc/self/ns/uts").context("open")?;
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    sethostname(name).with_context(|| format!("sethostname({name:?})"))?;
    nix::sched::setns(&home, CloneFlags::CLONE_NEWUTS).context("setns")?;
    // A child is born in its parent's namespaces, so COMMAND needs nothing more.
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// COMMAND's status. A process that a signal has killed has none; then it is as in a shell, 128 and the
/// signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
