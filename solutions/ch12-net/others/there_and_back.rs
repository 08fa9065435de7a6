//! Starts the server inside first, goes back with setns(2) for the one outside, and sets `lo` up through
//! netlink(7).

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::process::{Command, exit};
use std::thread;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

fn main() -> Result<()> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [port, outside, inside, _, command, args @ ..] = words.as_slice() else { exit(2) };
    let port: u16 = port.to_str().and_then(|port| port.parse().ok()).context("PORT")?;

    let lab = File::open("/proc/thread-self/ns/net")?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    let new = File::open("/proc/thread-self/ns/net")?;
    loopback_up()?;
    serve(TcpListener::bind(("127.0.0.1", port))?, inside.clone());
    setns(&lab, CloneFlags::CLONE_NEWNET)?;
    serve(TcpListener::bind(("127.0.0.1", port))?, outside.clone());
    setns(&new, CloneFlags::CLONE_NEWNET)?;
    let status = Command::new(command).args(args).status()?;
    exit(status.code().unwrap_or(1));
}

/// Sends RTM_NEWLINK for interface 1: a header (struct nlmsghdr) and a struct ifinfomsg.
fn loopback_up() -> Result<()> {
    let kind = SockType::Raw;
    let netlink =
        socket(AddressFamily::Netlink, kind, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    let mut message = [0_u8; 32];
    message[0..4].copy_from_slice(&32_u32.to_ne_bytes());
    message[4..6].copy_from_slice(&libc::RTM_NEWLINK.to_ne_bytes());
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
    message[6..8].copy_from_slice(&flags.to_ne_bytes());
    message[20..24].copy_from_slice(&1_i32.to_ne_bytes());
    for at in [24, 28] {
        message[at..at + 4].copy_from_slice(&(libc::IFF_UP as u32).to_ne_bytes());
    }
    send(netlink.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 256];
    recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    anyhow::ensure!(answer[16..20] == [0; 4], "RTM_NEWLINK was refused");
    Ok(())
}

fn serve(listener: TcpListener, text: OsString) {
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            _ = client.write_all(text.as_encoded_bytes());
        }
    });
}
