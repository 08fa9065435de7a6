//! The child is born in its network, and waits; the pair is born with its far end there, and deleted afterwards.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

const FAR: &str = "uplink";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, outer, inner, dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            run(name, outer, inner, command)
        }
        _ => Err(anyhow!("usage: ch13-veth NAME OUTER INNER -- COMMAND [ARGS…]")),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("no cable: {error:#}");
        1
    }))
}

fn address(word: &OsStr) -> Result<Ipv4Addr> {
    word.to_str().and_then(|word| word.parse().ok()).with_context(|| format!("{word:?}?"))
}

fn run(name: &OsStr, outer: &OsStr, inner: &OsStr, command: &[OsString]) -> Result<u8> {
    let name = name.to_str().context("a strange name")?;
    let (outer, inner) = (address(outer)?, address(inner)?);
    let (mut here, mut there) = UnixStream::pair().context("a pair of sockets")?;
    // SAFETY: zero means "not requested" in every field.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.flags = libc::CLONE_NEWNET as u64;
    request.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: no stack of its own, and one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const request, size_of_val(&request)) };
    let pid = Errno::result(pid).context("clone3 with a network")?;
    if pid == 0 {
        drop(here);
        let error = match inside(&mut there, outer, inner) {
            Ok(()) => anyhow!("{}", Command::new(&command[0]).args(&command[1..]).exec()),
            Err(error) => error,
        };
        eprintln!("in the new network: {error:#}");
        exit(127)
    }
    drop(there);
    let child = Pid::from_raw(pid as i32);
    let laid = lay(name, outer, child);
    if laid.is_err() {
        _ = kill(child, Signal::SIGKILL);
    }
    _ = here.write_all(b".");
    let status = loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => break code as u8,
            Ok(WaitStatus::Signaled(_, signal, _)) => break 128 + signal as u8,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => bail!("waiting: {errno}"),
        }
    };
    // It goes by itself, but not at once.
    if laid.is_ok()
        && let Ok(index) = if_nametoindex(name)
    {
        _ = ask(libc::RTM_DELLINK, 0, &link(index, 0));
    }
    laid.map(|()| status)
}

/// What is done in the lab.
fn lay(name: &str, outer: Ipv4Addr, child: Pid) -> Result<()> {
    let mut peer = link(0, 0);
    peer.extend(attribute(libc::IFLA_IFNAME, FAR.as_bytes()));
    peer.extend(attribute(libc::IFLA_NET_NS_PID, &child.as_raw().to_ne_bytes()));
    // VETH_INFO_PEER is 1.
    let data = attribute(libc::IFLA_INFO_DATA, &attribute(1, &peer));
    let info = [attribute(libc::IFLA_INFO_KIND, b"veth"), data].concat();
    let mut body = link(0, 0);
    body.extend(attribute(libc::IFLA_IFNAME, name.as_bytes()));
    body.extend(attribute(libc::IFLA_LINKINFO, &info));
    ask(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &body).context("a veth pair")?;
    set_up(name)?;
    add_address(name, outer)?;
    fs::write("/proc/sys/net/ipv4/ip_forward", "1\n").context("forwarding")
}

/// What is done in the new network, when the other has laid the cable.
fn inside(there: &mut UnixStream, outer: Ipv4Addr, inner: Ipv4Addr) -> Result<()> {
    there.read_exact(&mut [0]).context("my parent has left")?;
    add_address(FAR, inner)?;
    set_up(FAR)?;
    set_up("lo")?;
    // struct rtmsg: family, two prefix lengths, service, table, protocol, scope, type; flags.
    let mut body = vec![libc::AF_INET as u8, 0, 0, 0, libc::RT_TABLE_MAIN, libc::RTPROT_STATIC];
    body.extend([libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST, 0, 0, 0, 0]);
    body.extend(attribute(libc::RTA_GATEWAY, &outer.octets()));
    ask(libc::RTM_NEWROUTE, libc::NLM_F_CREATE, &body).context("the default route")
}

fn index(name: &str) -> Result<u32> {
    if_nametoindex(name).with_context(|| format!("no interface {name}"))
}

fn set_up(name: &str) -> Result<()> {
    ask(libc::RTM_NEWLINK, 0, &link(index(name)?, libc::IFF_UP as u32))
        .with_context(|| format!("{name} stays down"))
}

fn add_address(name: &str, address: Ipv4Addr) -> Result<()> {
    let mut body = vec![libc::AF_INET as u8, 24, 0, 0];
    body.extend(index(name)?.to_ne_bytes());
    body.extend(attribute(libc::IFA_LOCAL, &address.octets()));
    body.extend(attribute(libc::IFA_ADDRESS, &address.octets()));
    ask(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &body)
        .with_context(|| format!("{name} does not get {address}"))
}

/// struct ifinfomsg
fn link(index: u32, flags: u32) -> Vec<u8> {
    [0, index, flags, flags].map(u32::to_ne_bytes).concat()
}

/// struct rtattr
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn ask(kind: u16, flags: i32, body: &[u8]) -> nix::Result<()> {
    let (raw, cloexec) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
    let netlink = socket(AddressFamily::Netlink, raw, cloexec, SockProtocol::NetlinkRoute)?;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    send(netlink.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 4096];
    recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    match i32::from_ne_bytes(std::array::from_fn(|byte| answer[16 + byte])) {
        0 => Ok(()),
        errno => Err(Errno::from_raw(-errno)),
    }
}
