//! The network, and sockets.

use std::ffi::{CString, c_int};
use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;

use super::{child, mark, own};
use crate::fingerprint::PUBLIC;

pub(crate) fn abstract_sockets() -> bool {
    let bound = fs::read_to_string("/proc/net/unix").unwrap();
    bound.lines().skip(1).any(|line| line.split_ascii_whitespace().nth(7).is_some())
}

/// Connects to a stream socket. `name` begins with a NUL if it is an abstract one.
fn connects(name: &[u8]) -> bool {
    let socket = call!(SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0);
    // `struct sockaddr_un`: the family, and the name.
    let address = [&(libc::AF_UNIX as u16).to_ne_bytes(), name].concat();
    call!(SYS_connect, socket, address.as_ptr(), address.len()) == 0
}

pub(crate) fn connect_by_path() -> bool {
    let roots = ["", "/proc/1/root", "/proc/1/cwd", "/..", "/proc/self/root/.."];
    let mut paths = roots.into_iter().flat_map(|root| {
        PUBLIC.map(|place| format!("{root}{place}/{}/socket", mark()).into_bytes())
    });
    paths.any(|path| connects(&path))
}

pub(crate) fn connect_by_name() -> bool {
    connects(format!("\0{}", mark()).as_bytes())
}

/// A socket for messages of rtnetlink(7).
struct Netlink(i64);

/// The bytes of an attribute: its length, kind and value, padded to a multiple of 4.
fn attribute(kind: u16, holds: &[u8]) -> Vec<u8> {
    let length = (4 + holds.len() as u16).to_ne_bytes();
    let mut bytes = [&length, &kind.to_ne_bytes(), holds].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `struct ifinfomsg` of an interface, or with index 0 of a new one.
fn link(index: u32) -> Vec<u8> {
    [0, index, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect()
}

impl Netlink {
    fn new() -> Netlink {
        Netlink(call!(SYS_socket, libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE))
    }

    /// Sends a message. Returns the kernel's answer: 0 or an errno.
    fn ask(&self, kind: u16, flags: i32, parts: &[&[u8]]) -> i32 {
        let body = parts.concat();
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags) as u16;
        let length = (16 + body.len() as u32).to_ne_bytes();
        let head = [&length[..], &kind.to_ne_bytes(), &flags.to_ne_bytes(), &[0; 8]].concat();
        let message = [head, body].concat();
        call!(SYS_sendto, self.0, message.as_ptr(), message.len(), 0, 0, 0);
        let mut answer = [0_u8; 4096];
        let length = call!(SYS_recvfrom, self.0, answer.as_mut_ptr(), answer.len(), 0, 0, 0);
        // NLMSG_ERROR has the errno after its header. Any other message is a success.
        let is_error = length >= 20 && answer[4..6] == 2_u16.to_ne_bytes();
        if is_error { -i32::from_ne_bytes(answer[16..20].try_into().unwrap()) } else { 0 }
    }

    /// Makes a pair of veth interfaces, each with `more` attributes.
    fn pair(&self, names: [&str; 2], more: [&[u8]; 2]) -> i32 {
        let name = |name: &str| attribute(libc::IFLA_IFNAME, format!("{name}\0").as_bytes());
        // VETH_INFO_PEER in IFLA_INFO_DATA.
        let peer = attribute(1, &[&link(0)[..], &name(names[1]), more[1]].concat());
        let about =
            [attribute(libc::IFLA_INFO_KIND, b"veth"), attribute(libc::IFLA_INFO_DATA, &peer)];
        let about = attribute(libc::IFLA_LINKINFO, &about.concat());
        let new = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        self.ask(libc::RTM_NEWLINK, new, &[&link(0), &name(names[0]), more[0], &about])
    }
}

/// Moves to a network namespace in which this process has all capabilities.
fn leave_network() {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        own(CloneFlags::CLONE_NEWNET);
    }
}

pub(crate) fn send_links() -> bool {
    leave_network();
    let netlink = Netlink::new();
    let made = netlink.pair(["mine", "mine2"], [&[], &[]]);
    // 192.0.2.81/24 on lo: `struct ifaddrmsg`, IFA_LOCAL, IFA_ADDRESS.
    let lo = [libc::AF_INET as u8, 24, 0, 0, 1, 0, 0, 0];
    let [local, address] = [libc::IFA_LOCAL, libc::IFA_ADDRESS];
    let addresses = [attribute(local, &[192, 0, 2, 81]), attribute(address, &[192, 0, 2, 81])];
    let new = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let named = netlink.ask(libc::RTM_NEWADDR, new, &[&lo, &addresses.concat()]);
    let mtu = attribute(libc::IFLA_MTU, &1400_u32.to_ne_bytes());
    let set = netlink.ask(libc::RTM_SETLINK, 0, &[&link(1), &mtu]);
    assert_eq!([made, named, set], [0; 3], "the attack no longer does what it is for");
    false
}

/// Moves one end of a veth pair to PID 1's network namespace, and addresses that namespace by a number.
pub(crate) fn links_to_init() -> bool {
    // The program may have started in the network namespace of PID 1.
    leave_network();
    let netlink = Netlink::new();
    assert_eq!(
        netlink.pair(["mine", "mine2"], [&[], &[]]),
        0,
        "the attack no longer does what it is for"
    );
    // IFLA_NET_NS_PID, for a new interface and for an existing one. Kernels before the April of 2026 let the
    // second end of a new pair be born anywhere (`rtnl_get_peer_net` in net/core/rtnetlink.c): here it does no
    // harm, in a network that has nothing but this end and is gone with the sandbox.
    let init = attribute(libc::IFLA_NET_NS_PID, &1_u32.to_ne_bytes());
    netlink.pair(["mine3", "mine4"], [&[], &init]);
    let name = attribute(libc::IFLA_IFNAME, b"mine\0");
    let moved = netlink.ask(libc::RTM_SETLINK, 0, &[&link(0), &name, &init]);
    // RTM_NEWNSID with NETNSA_NSID and NETNSA_PID (`linux/net_namespace.h`) gives it the number 81.
    let number = [attribute(1, &81_u32.to_ne_bytes()), attribute(2, &1_u32.to_ne_bytes())];
    netlink.ask(libc::RTM_NEWNSID, 0, &[&[0; 4], &number.concat()]);
    // That number and an unused one, in IFLA_TARGET_NETNSID and IFLA_LINK_NETNSID.
    let mut reached = [81_u32, 82].into_iter().flat_map(|number| {
        let target = attribute(libc::IFLA_TARGET_NETNSID, &number.to_ne_bytes());
        let below = attribute(libc::IFLA_LINK_NETNSID, &number.to_ne_bytes());
        [
            netlink.ask(libc::RTM_GETLINK, 0, &[&link(1), &target]),
            netlink.ask(libc::RTM_SETLINK, 0, &[&link(1), &target]),
            netlink.pair(["mine5", "mine6"], [&target, &[]]),
            netlink.pair(["mine7", "mine8"], [&below, &[]]),
        ]
    });
    moved == 0 || reached.any(|errno| errno == 0)
}

/// Interfaces that not every network namespace has.
fn others_links() -> impl Iterator<Item = String> {
    let links = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names = links.lines().skip(2).filter_map(|line| line.split_once(':'));
    let names: Vec<_> = names.map(|(name, _)| name.trim().to_owned()).collect();
    names.into_iter().filter(|name| !["lo", "tunl0", "sit0"].contains(&name.as_str()))
}

pub(crate) fn links() -> bool {
    others_links().next().is_some()
}

/// Some families have no network namespaces, or reach what nothing else does: AF_VSOCK, AF_ALG.
pub(crate) fn families() -> bool {
    let known = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET];
    let kinds = [libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET, libc::SOCK_RAW];
    let others = (0..64).filter(|family| !known.contains(family));
    let mut sockets = others.flat_map(|family| kinds.map(|kind| (family, kind)));
    sockets.any(|(family, kind)| call!(SYS_socket, family, kind, 0) >= 0)
}

pub(crate) fn packets() -> bool {
    // ETH_P_ALL, in network byte order.
    let all = 3_u16.to_be();
    let socket = call!(SYS_socket, libc::AF_PACKET, libc::SOCK_RAW, all);
    others_links().any(|name| {
        let name = CString::new(name).unwrap();
        // SAFETY: a C string.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        // `struct sockaddr_ll`: the family, the protocol, the index, and 12 bytes more.
        let address = [libc::AF_PACKET as u32 | u32::from(all) << 16, index, 0, 0, 0];
        call!(SYS_bind, socket, address.as_ptr(), 20) == 0
    })
}

/// The process events of the whole machine, and the audit log.
pub(crate) fn listen_to_the_kernel() -> bool {
    const NETLINK_AUDIT: c_int = 9;
    const NETLINK_CONNECTOR: c_int = 11;
    let bound = |protocol: c_int| {
        let socket = call!(SYS_socket, libc::AF_NETLINK, libc::SOCK_DGRAM, protocol);
        // `struct sockaddr_nl`: group 1.
        let address = [libc::AF_NETLINK as u32, 0, 1];
        (socket, call!(SYS_bind, socket, address.as_ptr(), 12) == 0)
    };
    // A netlink header, and in it PROC_CN_MCAST_LISTEN for CN_IDX_PROC (`linux/cn_proc.h`).
    let listen = [40_u32, 3, 0, 0, 1, 1, 0, 0, 4, 1];
    let (events, _) = bound(NETLINK_CONNECTOR);
    call!(SYS_sendto, events, listen.as_ptr(), 40, 0, 0, 0);
    _ = waitpid(child(|| ()), None);
    let mut event = [0_u8; 128];
    let heard = call!(SYS_recvfrom, events, event.as_mut_ptr(), 128, libc::MSG_DONTWAIT, 0, 0);
    heard >= 0 || bound(NETLINK_AUDIT).1
}
