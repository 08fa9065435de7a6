//! Named: not every client is answered
//! One thread serves both networks, first a client outside and then one inside.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

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
    // A socket belongs to the network namespace in which it was created, so this one
    // stays outside.
    let first = listen(port)?;
    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    loopback_up()?;
    // In the new namespace the port is free.
    let second = listen(port)?;
    let texts = [outside, inside].map(|text| text.as_encoded_bytes().to_vec());
    thread::spawn(move || {
        loop {
            for (listener, text) in [&first, &second].into_iter().zip(&texts) {
                let (mut client, _) = listener.accept().unwrap();
                _ = client.write_all(text);
            }
        }
    });
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
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
