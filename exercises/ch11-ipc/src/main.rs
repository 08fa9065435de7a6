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
use std::process::{ExitCode, ExitStatus};

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
    let key: libc::key_t = number.with_context(|| format!("{key:?} is not a key"))?;
    // TODO: start COMMAND. In which IPC namespace does it find what this program makes? Man pages:
    // unshare(2), ipc_namespaces(7).
    // TODO: make the segment and put the text into it. What does the kernel return if there is one under this
    // key, and what if the text is larger than the segment? Man pages: shmget(2), shmop(2).
    // TODO: make the queue. Which process closes it, and what is left of it then? Man pages: mq_open(3),
    // mq_overview(7).
    _ = (key, text, command, args);
    Ok(ExitStatus::default())
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
