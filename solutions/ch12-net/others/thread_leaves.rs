//! Only a thread leaves, and starts COMMAND; one more thread serves both sockets with poll(2); lo by netlink.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [port, outside, inside, dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            run(port, outside, inside, command)
        }
        _ => Err(anyhow!("usage: ch12-net PORT OUTSIDE INSIDE -- COMMAND [ARGS…]")),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("two servers were wanted: {error:#}");
        1
    }))
}

fn run(port: &OsStr, outside: &OsStr, inside: &OsStr, command: &[OsString]) -> Result<u8> {
    let port: u16 = port.to_str().and_then(|port| port.parse().ok()).context("which port?")?;
    let (outside, inside) =
        (outside.as_encoded_bytes().to_vec(), inside.as_encoded_bytes().to_vec());
    let command = command.to_vec();
    let there = listen(port).context("in the old network")?;
    let worker = thread::spawn(move || -> Result<u8> {
        // This thread alone is somewhere else from here on.
        unshare(CloneFlags::CLONE_NEWNET).context("leaving the network")?;
        lo_up()?;
        let here = listen(port).context("in the new network")?;
        thread::spawn(move || serve(&[(here, inside), (there, outside)]));
        let status = Command::new(&command[0])
            .args(&command[1..])
            .status()
            .with_context(|| format!("{:?}", command[0]))?;
        Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)) as u8)
    });
    worker.join().map_err(|_| anyhow!("a thread panicked"))?
}

fn listen(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).context("listening")?;
    listener.set_nonblocking(true).context("not blocking")?;
    Ok(listener)
}

/// Serves all of them until the process ends.
fn serve(all: &[(TcpListener, Vec<u8>)]) {
    loop {
        let mut ready: Vec<PollFd> =
            all.iter().map(|(one, _)| PollFd::new(one.as_fd(), PollFlags::POLLIN)).collect();
        _ = poll(&mut ready, PollTimeout::NONE);
        for (listener, text) in all {
            while let Ok((mut client, _)) = listener.accept() {
                // An accepted socket does not inherit O_NONBLOCK on Linux.
                _ = client.write_all(text);
            }
        }
    }
}

/// RTM_NEWLINK for interface 1, which is `lo` in every network namespace.
fn lo_up() -> Result<()> {
    let (kind, flags) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
    let netlink = socket(AddressFamily::Netlink, kind, flags, SockProtocol::NetlinkRoute)
        .context("a netlink socket")?;
    let mut message = 32u32.to_ne_bytes().to_vec();
    message.extend(libc::RTM_NEWLINK.to_ne_bytes());
    message.extend(((libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16).to_ne_bytes());
    message.extend([0; 8]);
    // struct ifinfomsg: family and type, index, flags, mask.
    let up = libc::IFF_UP as u32;
    for word in [0u32, 1, up, up] {
        message.extend(word.to_ne_bytes());
    }
    send(netlink.as_raw_fd(), &message, MsgFlags::empty()).context("asking for lo")?;
    let mut answer = [0; 256];
    recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty()).context("no answer about lo")?;
    match i32::from_ne_bytes(std::array::from_fn(|byte| answer[16 + byte])) {
        0 => Ok(()),
        errno => Err(Errno::from_raw(-errno)).context("lo stays down"),
    }
}
