//! ch13-bridge: a switch without a cable, made by messages on one socket, and then asked for on two.

use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType};

const NEW: i32 = libc::NLM_F_CREATE | libc::NLM_F_EXCL;

fn main() -> Result<()> {
    let old = open()?;
    // struct ifinfomsg, 16 bytes that are all 0: any index, and no flags.
    let kind = attribute(libc::IFLA_INFO_KIND, b"bridge");
    let pond = [attribute(libc::IFLA_IFNAME, b"pond"), attribute(libc::IFLA_LINKINFO, &kind)];
    let make = [&[0; 16], &pond.concat()[..]].concat();
    println!("make pond: {:?}", ask(&old, libc::RTM_NEWLINK, NEW, &make));

    // struct ifaddrmsg: family, prefix length, flags, scope, index.
    let index = if_nametoindex("pond").context("if_nametoindex(pond)")?.to_ne_bytes();
    let header = [&[libc::AF_INET as u8, 24, 0, 0], &index[..]].concat();
    let address = [header, attribute(libc::IFA_LOCAL, &[10, 0, 0, 1])].concat();
    println!("add 10.0.0.1/24: {:?}", ask(&old, libc::RTM_NEWADDR, NEW, &address));

    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    println!("make it again: {:?}", ask(&old, libc::RTM_NEWLINK, NEW, &make));
    println!("on a new socket: {:?}", ask(&open()?, libc::RTM_NEWLINK, NEW, &make));
    Ok(())
}

fn open() -> Result<OwnedFd> {
    let (netlink, route) = (AddressFamily::Netlink, SockProtocol::NetlinkRoute);
    let socket = socket::socket(netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, route);
    socket.context("socket(AF_NETLINK)")
}

/// struct rtattr: a length, a type, and a value that is padded to a multiple of four bytes.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Sends a request, and returns what the kernel answers.
fn ask(socket: &OwnedFd, kind: u16, flags: i32, body: &[u8]) -> nix::Result<()> {
    // struct nlmsghdr: length, type, flags, and two numbers that are not needed here.
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    message.extend([&[0; 8], body].concat());
    socket::send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 4096];
    socket::recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // With NLM_F_ACK it is an NLMSG_ERROR: after the header a negative errno, or 0.
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        number => Err(Errno::from_raw(-number)),
    }
}
