//! What is in a network namespace: its interfaces, their addresses, its routes.
//!
//! The kernel sends them over a netlink(7) socket, in the messages of rtnetlink(7). What counts is the
//! namespace in which the socket was created, so a process enters a namespace in order to look.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::Result;
use nix::errno::Errno;

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    /// Whether it has been brought up (`IFF_UP`), which says nothing about the other end.
    pub up: bool,
    /// `veth`, `bridge`; `None` for a device's interface and for `lo`.
    pub kind: Option<String>,
    /// The index in `IFLA_LINK`: of a veth interface, its other end.
    pub peer: Option<u32>,
    /// Whether that index belongs to another network namespace.
    pub peer_is_elsewhere: bool,
    /// The index of the bridge that it is a port of.
    pub bridge: Option<u32>,
    /// With the length of the prefix: `10.0.0.1/24`. Link-local addresses of IPv6 are left out, as
    /// the kernel makes them from a random number.
    pub addresses: Vec<String>,
}

/// One route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `10.0.0.0/24`, or `default`.
    pub destination: String,
    pub gateway: Option<String>,
    /// The index of the interface.
    pub link: Option<u32>,
}

/// The interfaces of the network namespace that the calling thread is in, by index.
///
/// # Errors
///
/// What the kernel answered: `EMFILE`, or `EAFNOSUPPORT` if it has no netlink.
pub(crate) fn links() -> Result<Vec<Link>> {
    let answers = dump(libc::RTM_GETLINK, libc::AF_UNSPEC)?;
    let mut links: Vec<Link> = messages(&answers, libc::RTM_NEWLINK).filter_map(link).collect();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let answers = dump(libc::RTM_GETADDR, family)?;
        for (index, address) in messages(&answers, libc::RTM_NEWADDR).filter_map(address) {
            if let Some(link) = links.iter_mut().find(|link| link.index == index) {
                link.addresses.push(address);
            }
        }
    }
    links.sort_by_key(|link| link.index);
    Ok(links)
}

/// The routes in the main table of that network namespace, IPv4 first.
///
/// # Errors
///
/// Those of [`links`].
pub(crate) fn routes() -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let answers = dump(libc::RTM_GETROUTE, family)?;
        let messages = messages(&answers, libc::RTM_NEWROUTE);
        // Without IPv6 the kernel answers with the routes of all other families.
        let of_family = messages.filter(|body| body.first() == Some(&(family as u8)));
        routes.extend(of_family.filter_map(route));
    }
    Ok(routes)
}

impl Link {
    /// For a message of the visitor, which is text: a line. The kernel allows no white space in a
    /// name (`dev_valid_name` in `net/core/dev.c`).
    pub(crate) fn to_line(&self) -> String {
        let number = |index: Option<u32>| index.unwrap_or(0);
        format!(
            "{} {} {} {} {} {} {} {}\n",
            self.index,
            self.up,
            self.kind.as_deref().unwrap_or("-"),
            number(self.peer),
            self.peer_is_elsewhere,
            number(self.bridge),
            if self.addresses.is_empty() { "-".to_owned() } else { self.addresses.join(",") },
            self.name,
        )
    }

    pub(crate) fn from_line(line: &str) -> Option<Link> {
        let mut words = line.split(' ');
        let mut word = || words.next();
        let number = |word: &str| word.parse().ok().filter(|index| *index != 0);
        Some(Link {
            index: word()?.parse().ok()?,
            up: word()? == "true",
            kind: word().filter(|kind| *kind != "-").map(str::to_owned),
            peer: number(word()?),
            peer_is_elsewhere: word()? == "true",
            bridge: number(word()?),
            addresses: match word()? {
                "-" => Vec::new(),
                addresses => addresses.split(',').map(str::to_owned).collect(),
            },
            name: word()?.to_owned(),
        })
    }
}

impl Route {
    pub(crate) fn to_line(&self) -> String {
        let gateway = self.gateway.as_deref().unwrap_or("-");
        format!("{} {gateway} {}\n", self.destination, self.link.unwrap_or(0))
    }

    pub(crate) fn from_line(line: &str) -> Option<Route> {
        let mut words = line.split(' ');
        Some(Route {
            destination: words.next()?.to_owned(),
            gateway: words.next().filter(|gateway| *gateway != "-").map(str::to_owned),
            link: words.next()?.parse().ok().filter(|index| *index != 0),
        })
    }
}

/// The most bytes that are read of an answer. A thousand interfaces fit.
const LONGEST: usize = 4 << 20;

/// Asks for all objects of one type, and returns the messages of the answer.
fn dump(what: u16, family: i32) -> Result<Vec<u8>> {
    // SAFETY: makes a socket, which then has one owner.
    let socket = unsafe {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        let fd = libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE);
        OwnedFd::from_raw_fd(Errno::result(fd)?)
    };
    // A header of 16 bytes (struct nlmsghdr), and a second one that begins with the family. The longest
    // of the three kinds of it has 16 bytes as well, and the kernel accepts that length for each.
    let mut request = [0_u8; 32];
    let length = request.len() as u32;
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request[4..6].copy_from_slice(&what.to_ne_bytes());
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    request[6..8].copy_from_slice(&flags.to_ne_bytes());
    request[16] = family as u8;
    // SAFETY: the kernel reads as many bytes as there are.
    let sent = unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
    Errno::result(sent)?;

    let mut answers = Vec::new();
    let mut buffer = vec![0_u8; 64 * 1024];
    while answers.len() < LONGEST {
        // SAFETY: the kernel writes at most as many bytes as there is room for.
        let got =
            unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        let part = &buffer[..Errno::result(got)? as usize];
        answers.extend_from_slice(part);
        match all_messages(part).find(|(kind, _)| [ERROR, DONE].contains(kind)) {
            Some((ERROR, body)) => {
                let errno = body.first_chunk().map_or(0, |number| -i32::from_ne_bytes(*number));
                return Err(Errno::from_raw(errno));
            }
            Some(_) => break,
            None if part.is_empty() => break,
            None => {}
        }
    }
    Ok(answers)
}

const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;

fn messages(bytes: &[u8], kind: u16) -> impl Iterator<Item = &[u8]> {
    all_messages(bytes).filter(move |(found, _)| *found == kind).map(|(_, body)| body)
}

/// Type and body of each message. A message that is longer than the rest of the bytes ends the list.
pub(crate) fn all_messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
        let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
        let body = bytes.get(16..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// Type and value of each attribute (`struct rtattr`).
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
        let kind = u16::from_ne_bytes(*bytes.get(2..)?.first_chunk()?);
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        // The two upper bits are flags (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
        Some((kind & 0x3fff, value))
    })
}

/// Reads a `struct ifinfomsg` and the attributes after it.
pub(crate) fn link(body: &[u8]) -> Option<Link> {
    let number = |at: usize| Some(u32::from_ne_bytes(*body.get(at..)?.first_chunk()?));
    let mut link = Link {
        index: number(4)?,
        name: String::new(),
        up: number(8)? & libc::IFF_UP as u32 != 0,
        kind: None,
        peer: None,
        peer_is_elsewhere: false,
        bridge: None,
        addresses: Vec::new(),
    };
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            libc::IFLA_IFNAME => link.name = text(value),
            libc::IFLA_LINK => link.peer = index(value),
            libc::IFLA_LINK_NETNSID => link.peer_is_elsewhere = true,
            libc::IFLA_MASTER => link.bridge = index(value),
            libc::IFLA_LINKINFO => {
                let mut info = attributes(value);
                let kind = info.find(|(kind, _)| *kind == libc::IFLA_INFO_KIND);
                link.kind = kind.map(|(_, name)| text(name));
            }
            _ => {}
        }
    }
    Some(link)
}

/// Reads a `struct ifaddrmsg` and the attributes after it: the index of the interface, and the
/// address.
pub(crate) fn address(body: &[u8]) -> Option<(u32, String)> {
    let (prefix, owner) = (*body.get(1)?, index(body.get(4..)?)?);
    let mut found = None;
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            // On a point-to-point link this is the address of the other end.
            libc::IFA_ADDRESS => found = found.or_else(|| ip(value)),
            libc::IFA_LOCAL => found = ip(value),
            _ => {}
        }
    }
    let address = found?;
    let from_a_random_number = matches!(address, IpAddr::V6(six) if six.is_unicast_link_local());
    (!from_a_random_number).then(|| (owner, format!("{address}/{prefix}")))
}

/// Reads a `struct rtmsg` and the attributes after it.
pub(crate) fn route(body: &[u8]) -> Option<Route> {
    const MAIN: u8 = libc::RT_TABLE_MAIN;
    let (prefix, table, kind) = (*body.get(1)?, *body.get(4)?, *body.get(7)?);
    if table != MAIN || kind != libc::RTN_UNICAST {
        return None;
    }
    let mut route = Route { destination: "default".to_owned(), gateway: None, link: None };
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            libc::RTA_DST => route.destination = format!("{}/{prefix}", ip(value)?),
            libc::RTA_GATEWAY => route.gateway = ip(value).map(|address| address.to_string()),
            libc::RTA_OIF => route.link = index(value),
            _ => {}
        }
    }
    Some(route)
}

fn index(value: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(*value.first_chunk()?))
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from(*value.first_chunk::<4>()?).into()),
        16 => Some(Ipv6Addr::from(*value.first_chunk::<16>()?).into()),
        _ => None,
    }
}

/// A C string.
fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn a_link() -> Vec<u8> {
        let mut body = vec![0; 16];
        body[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        body[8..12].copy_from_slice(&1_u32.to_ne_bytes());
        body.extend(attribute(libc::IFLA_IFNAME, b"veth0\0"));
        body.extend(attribute(libc::IFLA_LINK, &8_u32.to_ne_bytes()));
        body.extend(attribute(libc::IFLA_LINK_NETNSID, &0_u32.to_ne_bytes()));
        body.extend(attribute(libc::IFLA_LINKINFO, &attribute(libc::IFLA_INFO_KIND, b"veth\0")));
        body
    }

    #[test]
    fn a_link_is_read() {
        let link = link(&a_link()).unwrap();
        assert_eq!((link.index, link.name.as_str(), link.up), (7, "veth0", true));
        assert_eq!((link.kind.as_deref(), link.peer), (Some("veth"), Some(8)));
        assert!(link.peer_is_elsewhere && link.bridge.is_none());
    }

    #[test]
    fn a_line_survives_the_trip() {
        let mut link = link(&a_link()).unwrap();
        for addresses in [vec![], vec!["10.0.0.1/24".to_owned(), "fd00::1/64".to_owned()]] {
            link.addresses = addresses;
            assert_eq!(Link::from_line(link.to_line().trim_end()), Some(link.clone()));
        }
        let gateway = Some("10.0.0.1".to_owned());
        for (gateway, link) in [(gateway, Some(7)), (None, None)] {
            let route = Route { destination: "default".to_owned(), gateway, link };
            assert_eq!(Route::from_line(route.to_line().trim_end()), Some(route));
        }
        assert_eq!(Link::from_line("7 true"), None);
        assert_eq!(Route::from_line("default"), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let body = a_link();
        for length in 0..body.len() {
            _ = link(&body[..length]);
            _ = address(&body[..length]);
            _ = route(&body[..length]);
            _ = all_messages(&body[..length]).count();
        }
        for byte in 0..=255 {
            let bytes = [byte; 64];
            _ = (link(&bytes), address(&bytes), route(&bytes));
            assert!(all_messages(&bytes).count() < 20 && attributes(&bytes).count() < 20);
        }
    }

    #[test]
    fn this_machine_has_a_loopback_interface() {
        let links = links().unwrap();
        assert!(links.iter().any(|link| link.name == "lo" && link.index == 1), "{links:?}");
        routes().unwrap();
    }
}
