//! ch12-net, which also hands a listening socket to a COMMAND in another network namespace.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command, ExitCode, ExitStatus};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [word, port, dashes, command, args @ ..] if word == "--activate" && dashes == "--" => {
            number(port).and_then(|port| activate(port, command, args))
        }
        [port, outside, inside, dashes, command, args @ ..] if dashes == "--" => {
            number(port).and_then(|port| run(port, outside, inside, command, args))
        }
        _ => Err(anyhow!(
            "usage: ch12-net (PORT OUTSIDE INSIDE | --activate PORT) -- COMMAND [ARGS…]"
        )),
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
    // A socket belongs to the network namespace in which it was created, so this one
    // stays outside.
    serve(port, outside)?;
    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    loopback_up()?;
    // In the new namespace the port is free.
    serve(port, inside)?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Becomes `command` in a new network namespace, with a socket as descriptor 3 that listens on `port` in the
/// one that this program was started in. Returns only if that fails.
fn activate(port: u16, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    const FIRST: RawFd = 3;
    let listener = listen(port)?;
    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    // dup2(2) clears the flag that closes a descriptor at an exec, unless both are the same: then it does
    // nothing.
    // SAFETY: the calls take integers, and nothing in this program uses descriptor 3 otherwise.
    let passed = unsafe {
        match listener.as_raw_fd() {
            FIRST => libc::fcntl(FIRST, libc::F_SETFD, 0),
            other => libc::dup2(other, FIRST),
        }
    };
    Errno::result(passed).context("dup2()")?;
    // An exec keeps the pid, so that it is known beforehand.
    let pid = process::id().to_string();
    let error =
        Command::new(command).args(args).env("LISTEN_FDS", "1").env("LISTEN_PID", pid).exec();
    Err(error).with_context(|| format!("execve({command:?})"))
}

/// Brings up `lo` in this process's network namespace.
fn loopback_up() -> Result<()> {
    // Any socket will do: it only selects the network namespace.
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
        .context("socket(AF_INET)")?;
    // SAFETY: all zeroes are a valid ifreq, and SIOCSIFFLAGS only reads its name and flags.
    let set = unsafe {
        let mut lo: libc::ifreq = std::mem::zeroed();
        for (to, from) in lo.ifr_name.iter_mut().zip(b"lo") {
            *to = *from as _;
        }
        lo.ifr_ifru.ifru_flags = libc::IFF_UP as _;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const lo)
    };
    Errno::result(set).map(drop).context("ioctl(SIOCSIFFLAGS, \"lo\", IFF_UP)")
}

/// Listens on `port` of 127.0.0.1, and sends `text` to every client, until this process ends.
fn serve(port: u16, text: &OsStr) -> Result<()> {
    let listener = listen(port)?;
    let text = text.as_encoded_bytes().to_vec();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            _ = client.write_all(&text);
        }
    });
    Ok(())
}

fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("bind(127.0.0.1:{port})"))
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
