//! Named: the interface is in the other network
//! The second end is described by attributes alone, and the kernel reads its name as a `struct ifinfomsg`.

use std::fs::{File, write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

fn open() -> OwnedFd {
    let (netlink, route) = (AddressFamily::Netlink, SockProtocol::NetlinkRoute);
    socket(netlink, SockType::Raw, SockFlag::empty(), route).expect("socket")
}

fn ask(socket: &OwnedFd, kind: u16, flags: i32, body: &[u8]) -> nix::Result<Vec<u8>> {
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = vec![0; 8192];
    recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    let number = i32::from_ne_bytes(answer[16..20].try_into().unwrap());
    match answer[4..6] == (libc::NLMSG_ERROR as u16).to_ne_bytes() && number != 0 {
        true => Err(Errno::from_raw(-number)),
        false => Ok(answer),
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn index(socket: &OwnedFd, name: &str) -> i32 {
    let body = [vec![0; 16], attribute(libc::IFLA_IFNAME, name.as_bytes())].concat();
    match ask(socket, libc::RTM_GETLINK, 0, &body) {
        Ok(answer) => i32::from_ne_bytes(answer[20..24].try_into().unwrap()),
        Err(errno) => {
            eprintln!("RTM_GETLINK({name}): {errno}");
            exit(1);
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let lab = open();
    write("/proc/sys/net/ipv4/ip_forward", "1").expect("write");
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let (inside, network) = (open(), File::open("/proc/self/ns/net").expect("open"));

    let network = attribute(libc::IFLA_NET_NS_FD, &network.as_raw_fd().to_ne_bytes());
    let peer = attribute(1, &[attribute(libc::IFLA_IFNAME, b"eth0"), network].concat());
    let kind = attribute(libc::IFLA_INFO_KIND, b"veth");
    let info = [kind, attribute(libc::IFLA_INFO_DATA, &peer)].concat();
    let name = attribute(libc::IFLA_IFNAME, words[0].as_bytes());
    let body = [vec![0; 16], name, attribute(libc::IFLA_LINKINFO, &info)].concat();
    let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    ask(&lab, libc::RTM_NEWLINK, flags, &body).expect("RTM_NEWLINK");

    let ends = [(&lab, words[0].as_str(), &words[1]), (&inside, "eth0", &words[2])];
    for (socket, name, address) in ends {
        let octets: Vec<u8> = address.split('.').map(|octet| octet.parse().unwrap()).collect();
        let index = index(socket, name).to_ne_bytes();
        let header = [&[libc::AF_INET as u8, 24, 0, 0][..], &index].concat();
        let body = [header, attribute(libc::IFA_LOCAL, &octets)].concat();
        ask(socket, libc::RTM_NEWADDR, flags, &body).expect("RTM_NEWADDR");
        let up = (libc::IFF_UP as u32).to_ne_bytes();
        let body = [&[0; 4][..], &index, &up, &up].concat();
        ask(socket, libc::RTM_NEWLINK, libc::NLM_F_ACK, &body).expect("RTM_NEWLINK");
    }
    let status = Command::new(&words[4]).args(&words[5..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
