//! Refused by step 4: if a signal ended COMMAND, both servers are left, as processes of their own.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

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
    let mut servers = vec![serve(port, outside)?];
    let status = run_inside(port, inside, &mut servers, command, args);
    match &status {
        // What has ended COMMAND was sent to the whole process group, to the servers as well.
        Ok(status) if status.code().is_none() => {}
        _ => {
            for server in servers {
                _ = kill(server, Signal::SIGKILL);
                _ = waitpid(server, None);
            }
        }
    }
    status
}

fn run_inside(
    port: u16,
    inside: &OsStr,
    servers: &mut Vec<Pid>,
    command: &OsStr,
    args: &[OsString],
) -> Result<ExitStatus> {
    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    loopback_up()?;
    // In the new namespace the port is free.
    servers.push(serve(port, inside)?);
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

/// Makes a child that listens on `port` of 127.0.0.1, and sends `text` to every client.
fn serve(port: u16, text: &OsStr) -> Result<Pid> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("bind(127.0.0.1:{port})"))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => loop {
            if let Ok((mut client, _)) = listener.accept() {
                _ = client.write_all(text.as_encoded_bytes());
            }
        },
    }
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
