//! Uses only libc. The child moves and waits, and the parent makes the pair with one end already in the
//! child's network, which it selects by the child's pid. The rest is done with the ioctls of netdevice(7).

use std::ffi::CString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStringExt as _;

const VETH_INFO_PEER: u16 = 1;

fn main() {
    let words = std::env::args_os().skip(1).map(|word| CString::new(word.into_vec()).unwrap());
    let words: Vec<CString> = words.collect();
    let [name, outer, inner, _, command @ ..] = words.as_slice() else { std::process::exit(2) };
    let address = |word: &CString| word.to_str().unwrap().parse::<Ipv4Addr>().unwrap();
    let (name, outer, inner) = (name.to_bytes(), address(outer), address(inner));
    let mut argv: Vec<_> = command.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());

    let (mut left, mut joined, mut byte, mut status) = ([0; 2], [0; 2], [0_u8], 0);
    // SAFETY: this process has one thread, and every pointer is valid for its call.
    unsafe {
        libc::pipe2(left.as_mut_ptr(), libc::O_CLOEXEC);
        libc::pipe2(joined.as_mut_ptr(), libc::O_CLOEXEC);
        let child = libc::fork();
        if child == 0 {
            assert_eq!(libc::unshare(libc::CLONE_NEWNET), 0);
            libc::write(left[1], byte.as_ptr().cast(), 1);
            libc::close(joined[1]);
            assert_eq!(libc::read(joined[0], byte.as_mut_ptr().cast(), 1), 1);
            set_up(b"lo");
            configure(b"eth0", inner);
            add_default_route(outer);
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        libc::close(left[1]);
        assert_eq!(libc::read(left[0], byte.as_mut_ptr().cast(), 1), 1);
        add_pair(name, child);
        configure(name, outer);
        let path = c"/proc/sys/net/ipv4/ip_forward".as_ptr();
        let file = libc::open(path, libc::O_WRONLY | libc::O_CLOEXEC);
        assert_eq!(libc::write(file, c"1".as_ptr().cast(), 1), 1);
        libc::write(joined[1], byte.as_ptr().cast(), 1);
        libc::waitpid(child, &raw mut status, 0);
    }
    std::process::exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1 });
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Makes a pair with one end here, and the other, `eth0`, in the network of the process `pid`.
fn add_pair(name: &[u8], pid: i32) {
    let mut peer = vec![0; 16];
    peer.extend(attribute(libc::IFLA_IFNAME, b"eth0"));
    peer.extend(attribute(libc::IFLA_NET_NS_PID, &pid.to_ne_bytes()));
    let data = attribute(libc::IFLA_INFO_DATA, &attribute(VETH_INFO_PEER, &peer));
    let info = [attribute(libc::IFLA_INFO_KIND, b"veth"), data].concat();
    let mut body = vec![0; 16];
    body.extend(attribute(libc::IFLA_IFNAME, name));
    body.extend(attribute(libc::IFLA_LINKINFO, &info));

    let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let mut message = (16 + body.len() as u32).to_ne_bytes().to_vec();
    message.extend(libc::RTM_NEWLINK.to_ne_bytes());
    message.extend((flags as u16).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    let mut answer = [0_u8; 4096];
    // SAFETY: both buffers are as long as they say.
    unsafe {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        let socket = libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE);
        libc::send(socket, message.as_ptr().cast(), message.len(), 0);
        assert!(libc::recv(socket, answer.as_mut_ptr().cast(), answer.len(), 0) >= 20);
        libc::close(socket);
    }
    assert_eq!(answer[16..20], [0; 4], "RTM_NEWLINK");
}

/// # Safety
///
/// `argument` points to what the ioctl(2) request `number` reads.
unsafe fn request(number: libc::Ioctl, argument: *const libc::c_void) {
    // SAFETY: as the caller promises.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let done = libc::ioctl(socket, number, argument);
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
        libc::close(socket);
    }
}

fn interface(name: &[u8]) -> libc::ifreq {
    // SAFETY: all zeroes are a valid ifreq.
    let mut interface: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in interface.ifr_name.iter_mut().zip(name) {
        *to = *from as _;
    }
    interface
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    // SAFETY: both types have 16 bytes, for which every value is valid.
    unsafe {
        let mut inet: libc::sockaddr_in = std::mem::zeroed();
        inet.sin_family = libc::AF_INET as _;
        inet.sin_addr.s_addr = u32::from(address).to_be();
        std::mem::transmute(inet)
    }
}

fn set_up(name: &[u8]) {
    let mut interface = interface(name);
    interface.ifr_ifru.ifru_flags = libc::IFF_UP as _;
    // SAFETY: SIOCSIFFLAGS reads an ifreq.
    unsafe { request(libc::SIOCSIFFLAGS as _, (&raw const interface).cast()) };
}

fn configure(name: &[u8], address: Ipv4Addr) {
    let mut interface = interface(name);
    interface.ifr_ifru.ifru_addr = socket_address(address);
    // SAFETY: SIOCSIFADDR reads an ifreq.
    unsafe { request(libc::SIOCSIFADDR as _, (&raw const interface).cast()) };
    interface.ifr_ifru.ifru_netmask = socket_address(Ipv4Addr::new(255, 255, 255, 0));
    // SAFETY: SIOCSIFNETMASK reads an ifreq.
    unsafe { request(libc::SIOCSIFNETMASK as _, (&raw const interface).cast()) };
    set_up(name);
}

fn add_default_route(gateway: Ipv4Addr) {
    // SAFETY: all zeroes are a valid rtentry.
    let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
    route.rt_dst = socket_address(Ipv4Addr::UNSPECIFIED);
    route.rt_genmask = socket_address(Ipv4Addr::UNSPECIFIED);
    route.rt_gateway = socket_address(gateway);
    route.rt_flags = libc::RTF_UP | libc::RTF_GATEWAY;
    // SAFETY: SIOCADDRT reads an rtentry.
    unsafe { request(libc::SIOCADDRT as _, (&raw const route).cast()) };
}
