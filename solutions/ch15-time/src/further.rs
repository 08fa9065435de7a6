//! ch15-time, which also runs several commands at once: `--and MONOTONIC BOOTTIME -- COMMAND [ARGS…]`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&words) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch15-time: {error:#}");
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

/// Starts one command. It makes its own time namespace, so that nothing changes for its parent.
fn start(words: &[OsString]) -> Result<Child> {
    let [monotonic, boottime, dashes, command, args @ ..] = words else { return Err(usage()) };
    if dashes != "--" {
        return Err(usage());
    }
    let (monotonic, boottime) = (seconds(monotonic)?, seconds(boottime)?);
    let offsets = format!("monotonic {monotonic} 0\nboottime {boottime} 0\n");
    let shown = format!(
        "unshare(CLONE_NEWTIME), write(timens_offsets), setns(time_for_children), execve({command:?})"
    );
    let mut child = Command::new::<&OsStr>(command);
    // SAFETY: this program has one thread, so the child may do whatever its parent could.
    unsafe { child.args(args).pre_exec(move || enter(&offsets)) };
    child.spawn().context(shown)
}

/// Moves the calling process into a new time namespace with these offsets. An exec would move it as well, but
/// only since Linux 6.2.
fn enter(offsets: &str) -> io::Result<()> {
    // SAFETY: unshare takes only an integer.
    Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) })?;
    fs::write("/proc/self/timens_offsets", offsets)?;
    let namespace = File::open("/proc/self/ns/time_for_children")?;
    setns(namespace, CloneFlags::from_bits_retain(libc::CLONE_NEWTIME))?;
    Ok(())
}

fn seconds(word: &OsStr) -> Result<i64> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{word:?} is not a number of seconds"))
}

fn usage() -> anyhow::Error {
    anyhow!(
        "usage: ch15-time MONOTONIC BOOTTIME -- COMMAND [ARGS…] [--and MONOTONIC BOOTTIME -- COMMAND…]…"
    )
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
