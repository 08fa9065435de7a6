//! Named: the program goes back before COMMAND
//! Points at: setns(
//! The program goes home when the new network is furnished, and starts COMMAND there.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};
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

/// What the command line requests: the name of the outer end, and the address of each end.
struct Pair {
    name: String,
    outer: Ipv4Addr,
    inner: Ipv4Addr,
}

/// Runs `command` in a new network namespace that is joined to the current one, and waits for it.
fn run(pair: &Pair, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    // All three act on the current network namespace, also after this process has left it.
    let lab = Netlink::open()?;
    let lab_file = File::open("/proc/thread-self/ns/net").context("open(ns/net)")?;
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("write(ip_forward)")?;

    unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
    let new = Netlink::open()?;
    new.add_veth("eth0", &pair.name)?;
    new.move_to(&pair.name, &lab_file)?;

    // A move removes the addresses and sets the interface down, so all this comes after it.
    lab.add_address(&pair.name, pair.outer)?;
    lab.set_up(&pair.name)?;
    new.set_up("lo")?;
    new.add_address("eth0", pair.inner)?;
    new.set_up("eth0")?;
    new.add_default_route(pair.outer)?;
    nix::sched::setns(&lab_file, CloneFlags::CLONE_NEWNET).context("setns")?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// A netlink(7) socket, for requests about the network namespace in which it was created.
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
    /// Makes a veth pair with both ends in this network namespace.
    fn add_veth(&self, name: &str, peer: &str) -> Result<()> {
        let peer_message = [&link(0, 0), &attribute(libc::IFLA_IFNAME, peer.as_bytes())[..]];
        let data = attribute(VETH_INFO_PEER, &peer_message.concat());
        let info =
            [attribute(libc::IFLA_INFO_KIND, b"veth"), attribute(libc::IFLA_INFO_DATA, &data)];
        let name_and_info = [
            attribute(libc::IFLA_IFNAME, name.as_bytes()),
            attribute(libc::IFLA_LINKINFO, &info.concat()),
        ];
        let body = [&link(0, 0), &name_and_info.concat()[..]].concat();
        let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let answer = self.ask(libc::RTM_NEWLINK, flags, &body);
        answer.map(drop).with_context(|| format!("RTM_NEWLINK(veth {name} {peer})"))
    }

    /// Moves an interface to the network namespace that `namespace` is a descriptor of.
    fn move_to(&self, name: &str, namespace: &File) -> Result<()> {
        let fd = namespace.as_raw_fd().to_ne_bytes();
        let index = self.index(name)?;
        let body = [&link(index, 0), &attribute(libc::IFLA_NET_NS_FD, &fd)[..]].concat();
        let answer = self.ask(libc::RTM_NEWLINK, libc::NLM_F_ACK, &body);
        answer.map(drop).with_context(|| format!("RTM_NEWLINK({name}, IFLA_NET_NS_FD)"))
    }

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

/// From `linux/veth.h`, because the libc crate lacks it.
const VETH_INFO_PEER: u16 = 1;

/// `struct ifinfomsg`: family, type, index, flags, and a mask of the flags to change.
fn link(index: i32, flags: i32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..16].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

/// `struct rtattr`: length, type, and the value, padded to a multiple of four bytes.
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

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
