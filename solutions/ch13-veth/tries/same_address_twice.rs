//! Named: an end has the other end's address
//! Both ends have OUTER, and without a route nothing fails.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, outer, inner, dashes, command, args @ ..] if dashes == "--" => {
            pair(name, outer, inner).and_then(|pair| run(&pair, command, args))
        }
        _ => Err(anyhow!("usage: ch13-veth NAME OUTER INNER -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch13-veth: {error:#}");
            ExitCode::FAILURE
        }
    }
}

struct Pair {
    name: String,
    outer: Ipv4Addr,
    inner: Ipv4Addr,
}

struct Netlink(OwnedFd);

impl Netlink {
    fn open() -> Result<Netlink> {
        let (kind, flags) = (SockType::Raw, SockFlag::SOCK_CLOEXEC);
        let socket = socket(AddressFamily::Netlink, kind, flags, SockProtocol::NetlinkRoute);
        Ok(Netlink(socket.context("socket(AF_NETLINK)")?))
    }

    /// Sends one request, and returns the answer.
    fn ask(&self, kind: u16, flags: i32, body: &[u8]) -> nix::Result<Vec<u8>> {
        // struct nlmsghdr: length, type, flags, and two numbers that are not needed here.
        let length = 16 + body.len() as u32;
        let flags = (libc::NLM_F_REQUEST | flags) as u16;
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        send(self.0.as_raw_fd(), &message, MsgFlags::empty())?;

        let mut answer = vec![0; 8192];
        let length = recv(self.0.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        answer.truncate(length);
        // In NLMSG_ERROR a negative errno follows the header, or 0 for success.
        let number = |at| i32::from_ne_bytes(std::array::from_fn(|byte| answer[at + byte]));
        let is_error = answer[4..6] == (libc::NLMSG_ERROR as u16).to_ne_bytes();
        if is_error && number(16) != 0 {
            return Err(Errno::from_raw(-number(16)));
        }
        Ok(answer)
    }

    /// Returns the index of an interface in this network namespace.
    fn index(&self, name: &str) -> Result<i32> {
        let body = [&link(0, 0), &attribute(libc::IFLA_IFNAME, name.as_bytes())[..]].concat();
        let answer = self.ask(libc::RTM_GETLINK, 0, &body);
        let answer = answer.with_context(|| format!("RTM_GETLINK({name})"))?;
        Ok(i32::from_ne_bytes(std::array::from_fn(|byte| answer[20 + byte])))
    }
}

impl Netlink {
    // TODO: the message that makes a pair: how does one message describe two interfaces? `linux/veth.h` has the
    // name. Man pages: rtnetlink(7), veth(4).
    // TODO: the message that moves an end: how does it refer to the other network? `linux/if_link.h` has the
    // names. Man pages: rtnetlink(7), netlink(7).

    fn set_up(&self, name: &str) -> Result<()> {
        let body = link(self.index(name)?, libc::IFF_UP);
        let answer = self.ask(libc::RTM_NEWLINK, libc::NLM_F_ACK, &body);
        answer.map(drop).with_context(|| format!("RTM_NEWLINK({name}, IFF_UP)"))
    }

    /// Adds an address with a prefix of 24 bits.
    fn add_address(&self, name: &str, address: Ipv4Addr) -> Result<()> {
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        let mut body = vec![libc::AF_INET as u8, 24, 0, 0];
        body.extend(self.index(name)?.to_ne_bytes());
        body.extend(attribute(libc::IFA_LOCAL, &address.octets()));
        let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let answer = self.ask(libc::RTM_NEWADDR, flags, &body);
        answer.map(drop).with_context(|| format!("RTM_NEWADDR({name}, {address}/24)"))
    }

    /// Routes every address that has no other route through `gateway`.
    fn add_default_route(&self, gateway: Ipv4Addr) -> Result<()> {
        // struct rtmsg: family, two prefix lengths, service, table, protocol, scope, type.
        let family = libc::AF_INET as u8;
        let (table, protocol, kind) = (libc::RT_TABLE_MAIN, libc::RTPROT_BOOT, libc::RTN_UNICAST);
        let mut body = vec![family, 0, 0, 0, table, protocol, libc::RT_SCOPE_UNIVERSE, kind];
        body.extend([0; 4]);
        body.extend(attribute(libc::RTA_GATEWAY, &gateway.octets()));
        let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let answer = self.ask(libc::RTM_NEWROUTE, flags, &body);
        answer.map(drop).with_context(|| format!("RTM_NEWROUTE(default, {gateway})"))
    }
}

const VETH_INFO_PEER: u16 = 1;

fn link(index: i32, flags: i32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn pair(name: &OsStr, outer: &OsStr, inner: &OsStr) -> Result<Pair> {
    let address = |word: &OsStr| {
        let address = word.to_str().and_then(|text| text.parse().ok());
        address.with_context(|| format!("{word:?} is not an IPv4 address"))
    };
    let name = name.to_str().with_context(|| format!("{name:?} is not UTF-8"))?.to_owned();
    Ok(Pair { name, outer: address(outer)?, inner: address(inner)? })
}

fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
fn run(pair: &Pair, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    let lab = Netlink::open()?;
    forward()?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    let file = File::open("/proc/thread-self/ns/net")?;
    veth(&lab, &pair.name, "eth0", &net_of(&file))?;
    let inside = Netlink::open()?;
    lab.add_address(&pair.name, pair.outer)?;
    lab.set_up(&pair.name)?;
    inside.set_up("lo")?;
    inside.add_address("eth0", pair.outer)?;
    inside.set_up("eth0")?;
    go(command, args)
}

fn veth(lab: &Netlink, name: &str, peer: &str, extra: &[u8]) -> Result<()> {
    let inner = [&link(0, 0)[..], &attribute(libc::IFLA_IFNAME, peer.as_bytes()), extra].concat();
    let data = attribute(libc::IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &inner));
    let info = [attribute(libc::IFLA_INFO_KIND, b"veth"), data].concat();
    let body = [
        &link(0, 0)[..],
        &attribute(libc::IFLA_IFNAME, name.as_bytes()),
        &attribute(libc::IFLA_LINKINFO, &info),
    ]
    .concat();
    lab.ask(libc::RTM_NEWLINK, libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL, &body)
        .map(drop)
        .context("RTM_NEWLINK(veth)")
}

fn forward() -> Result<()> {
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("ip_forward")
}

fn go(command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    Command::new(command).args(args).status().context("execve")
}

fn net_of(file: &File) -> Vec<u8> {
    attribute(libc::IFLA_NET_NS_FD, &file.as_raw_fd().to_ne_bytes())
}
