//! ch12-net: run a command in a network namespace of its own, with a server inside and one outside.
//!
//! Usage: `ch12-net PORT OUTSIDE INSIDE -- COMMAND [ARGS…]`
//!
//! When it is finished:
//!
//! ```text
//! # ch12-net 80 otter heron -- bash -c 'cat < /dev/tcp/127.0.0.1/80'
//! heron
//! ```
//!
//! Meanwhile a client outside that connects to port 80 of 127.0.0.1 reads `otter`.
//!
//! Check it with `cargo xtask check ch12`.

use std::ffi::{OsStr, OsString};
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [port, outside, inside, dashes, command, args @ ..] if dashes == "--" => {
            number(port).and_then(|port| run(port, outside, inside, command, args))
        }
        _ => Err(anyhow!("usage: ch12-net PORT OUTSIDE INSIDE -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch12-net: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` in a new network namespace, and waits for it. Meanwhile two servers listen on
/// `port`: one in the network namespace that this program was started in, which sends `outside`,
/// and one in the new one, which sends `inside`.
fn run(
    port: u16,
    outside: &OsStr,
    inside: &OsStr,
    command: &OsStr,
    args: &[OsString],
) -> Result<ExitStatus> {
    // TODO: in which order are the two sockets made, and the network namespace? Man pages: unshare(2),
    // network_namespaces(7), socket(2).
    // TODO: what has to be up in there, and through which socket does the kernel know where? Man pages:
    // netdevice(7), ioctl(2).
    // TODO: which threads serve, how many clients at a time, and what ends an answer? Man pages: listen(2),
    // accept(2).
    _ = (port, outside, inside, command, args);
    Ok(ExitStatus::default())
}

fn number(port: &OsStr) -> Result<u16> {
    let number = port.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{port:?} is not a port"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
