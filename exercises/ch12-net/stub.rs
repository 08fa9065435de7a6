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
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

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
    // TODO: leave the network namespace, and have a second server send `inside` on the same port. Man pages: unshare(2), network_namespaces(7).
    let _ = inside;
    serve(port, outside)?;
    loopback_up()?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Brings up `lo` in this process's network namespace.
fn loopback_up() -> Result<()> {
    // TODO: set the flag IFF_UP of the interface `lo`. Man pages: netdevice(7), ioctl(2).
    Ok(())
}

/// Listens on `port` of 127.0.0.1, and sends `text` to every client, until this process ends.
fn serve(port: u16, text: &OsStr) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("bind(127.0.0.1:{port})"))?;
    let text = text.as_encoded_bytes().to_vec();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(&text);
        }
    });
    Ok(())
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
