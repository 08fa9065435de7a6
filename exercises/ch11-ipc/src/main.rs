//! ch11-ipc: run a command with shared memory and a message queue that exist only for it.
//!
//! Usage: `ch11-ipc KEY TEXT -- COMMAND [ARGS…]`
//!
//! When it is finished, `ipcs` shows a segment inside, and nothing outside:
//!
//! ```text
//! # ch11-ipc 42 otter -- ipcs --shmems
//!
//! ------ Shared Memory Segments --------
//! key        shmid      owner      perms      bytes      nattch     status
//! 0x0000002a 0          root       600        4096       0
//! ```
//!
//! Check it with `cargo xtask check ch11`.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [key, text, dashes, command, args @ ..] if dashes == "--" => run(key, text, command, args),
        _ => Err(anyhow!("usage: ch11-ipc KEY TEXT -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch11-ipc: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` with a segment under `key` that contains `text`, and a queue `/text`, and waits for
/// it.
fn run(key: &OsStr, text: &OsStr, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    let number = key.to_str().and_then(|key| key.parse().ok());
    leave()?;
    fill(number.with_context(|| format!("{key:?} is not a key"))?, text)?;
    open_queue(text)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into an IPC namespace of its own, which is empty.
fn leave() -> Result<()> {
    // TODO: leave the IPC namespace. Man pages: unshare(2), ipc_namespaces(7).
    Ok(())
}

/// Makes a System V shared memory segment of 4096 bytes under `key`, and writes `text` to it.
fn fill(key: libc::key_t, text: &OsStr) -> Result<()> {
    // TODO: make the segment, attach it, and copy the text and a zero byte to it. Man pages: shmget(2), shmop(2).
    let _ = (key, text);
    Ok(())
}

/// Makes the POSIX message queue `/name`.
fn open_queue(name: &OsStr) -> Result<()> {
    // TODO: make the queue. Man page: mq_open(3).
    let _ = name;
    Ok(())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
