//! The visitor: a process that enters namespaces, reads there, and may mount or connect.
//!
//! A host name, for one, can only be read from inside its UTS namespace. The supervisor forks the
//! visitor, because setns(2) to a user namespace takes a process with one thread. The visitor stays
//! outside the program's PID namespace, so no process in there can trace or signal it. It works
//! even when the last process inside has ended, because the descriptors keep the namespaces alive.

mod ipc;
pub(crate) mod filler;

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MntFlags, MsFlags, mount, umount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::Mode;

use crate::env::patience;
use crate::helper::ids;
use crate::helper::supervisor;
use crate::helper::wire::wire;
use crate::look::{Link, Mount, Namespace, Route, mounts, network, ranges_in};
use crate::sys;

/// The first byte of a request to the supervisor.
pub(crate) const JOB: u8 = b'v';

/// What to do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// uname(2)'s node name.
    HostName,
    /// The same in the UTS namespace that is mounted at a path.
    HostNameAt(String),
    /// The text of mountinfo, for the namespace's own root.
    Mounts,
    /// The text of `uid_map` or `gid_map`.
    IdMap(String),
    /// The beginning of a file.
    Read(String),
    /// The names in a folder.
    Names(String),
    /// Mounts a new tmpfs on a folder, which is made if it is not there.
    Mount(String),
    Unmount(String),
    /// Whether the mount at `/` covers another one that can be uncovered.
    Covers,
    /// The text at the beginning of the System V shared memory segment with this key.
    Segment(i32),
    /// Whether there is a POSIX message queue of this name.
    Queue(String),
    /// The names of all POSIX message queues.
    Queues,
    /// The interfaces.
    Links,
    /// The routes.
    Routes,
    /// What the server on a port of 127.0.0.1 sends to this many clients.
    Listen(u16, u32),
    /// Listens on an address in the last namespace but one and connects from the last. The answer
    /// is the client's address as the listener sees it.
    Exchange(IpAddr),
}

/// How many bytes are read of a file.
const READ: u64 = 4096;

wire!(enum Visit {
    0 => HostName,
    1 => HostNameAt(path),
    2 => Mounts,
    3 => Read(path),
    4 => Names(path),
    5 => Mount(path),
    6 => Unmount(path),
    7 => Segment(key),
    8 => Queue(name),
    9 => Links,
    10 => Routes,
    11 => Listen(port, clients),
    12 => Exchange(address),
    13 => Queues,
    14 => Covers,
    15 => IdMap(file),
});

impl Visit {
    /// In the visitor, one namespace before the last: makes what it takes along.
    fn prepare(&self) -> nix::Result<Option<TcpListener>> {
        let Visit::Exchange(address) = self else { return Ok(None) };
        let listener = TcpListener::bind((*address, 0)).map_err(|error| sys::errno_of(&error))?;
        Ok(Some(listener))
    }

    /// In the visitor, in the last namespace. `own` is its folder in the `/proc` outside. The one
    /// inside shows another PID namespace, in which the visitor has no pid.
    fn act(&self, own: &OwnedFd, prepared: Option<TcpListener>) -> nix::Result<String> {
        // If a program has put a pipe in a file's place, the open must not block; if a terminal, it
        // must not become this process's controlling terminal.
        let read_only = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let io = |error: std::io::Error| sys::errno_of(&error);
        if let Visit::Read(_) | Visit::Names(_) | Visit::Mount(_) | Visit::Unmount(_) = self {
            // A program could have prepared these paths, so the visitor has the rights of root in
            // there and no others. And to make a folder takes an id that is mapped in the user
            // namespace of its mount.
            ids::set_ids([0, 0])?;
        }
        match self {
            Visit::HostName => {}
            Visit::HostNameAt(path) => {
                let namespace = open(path.as_str(), read_only, Mode::empty())?;
                setns(namespace, CloneFlags::CLONE_NEWUTS)?;
            }
            Visit::Mounts => {
                let mut text = Vec::new();
                let mut file = File::from(openat(own, "mountinfo", read_only, Mode::empty())?);
                file.read_to_end(&mut text).map_err(io)?;
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
            Visit::IdMap(file) => {
                let mut text = String::new();
                let mut file = File::from(openat(own, file.as_str(), read_only, Mode::empty())?);
                file.read_to_string(&mut text).map_err(io)?;
                return Ok(text);
            }
            Visit::Read(path) => {
                let mut bytes = Vec::new();
                let not_a_link = read_only | OFlag::O_NOFOLLOW;
                let file = File::from(open(path.as_str(), not_a_link, Mode::empty())?);
                // Reading a device could take input from the program (a terminal), or never end
                // (/dev/zero).
                if !file.metadata().map_err(io)?.is_file() {
                    return Err(Errno::EINVAL);
                }
                file.take(READ).read_to_end(&mut bytes).map_err(io)?;
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
            Visit::Names(path) => return names(path),
            Visit::Mount(path) => {
                match fs::create_dir(path) {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                        return Err(io(error));
                    }
                    _ => {}
                }
                let (kind, none) = (Some("tmpfs"), None::<&str>);
                mount(kind, path.as_str(), kind, MsFlags::empty(), none)?;
                return Ok(String::new());
            }
            Visit::Unmount(path) => {
                umount(path.as_str())?;
                return Ok(String::new());
            }
            Visit::Covers => {
                // In a copy of the namespace, so that nothing is uncovered there.
                unshare(CloneFlags::CLONE_NEWNS)?;
                let (private, none) = (MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>);
                mount(none, "/", none, private, none)?;
                return match umount2("/", MntFlags::MNT_DETACH) {
                    Ok(()) => Ok("yes".to_owned()),
                    // It is locked on the one below (mount_namespaces(7)), or there is none.
                    Err(Errno::EINVAL) => Ok("no".to_owned()),
                    Err(errno) => Err(errno),
                };
            }
            Visit::Segment(key) => return ipc::segment(*key),
            Visit::Queues => return names(ipc::mount_queues()?),
            Visit::Queue(name) => return ipc::queue(name).map(|()| String::new()),
            Visit::Links => return Ok(network::links()?.iter().map(Link::to_line).collect()),
            Visit::Routes => return Ok(network::routes()?.iter().map(Route::to_line).collect()),
            Visit::Listen(port, clients) => {
                let server = (Ipv4Addr::LOCALHOST, *port).into();
                return words_of(server, *clients, patience()).map_err(io);
            }
            Visit::Exchange(_) => {
                let listener = prepared.ok_or(Errno::EINVAL)?;
                return converse(&listener).map(|from| from.to_string()).map_err(io);
            }
        }
        nix::unistd::gethostname()?.into_string().map_err(|_| Errno::EILSEQ)
    }
}

/// The names in a folder, one a line.
fn names(folder: &str) -> nix::Result<String> {
    let io = |error: std::io::Error| sys::errno_of(&error);
    let names = fs::read_dir(folder).map_err(io)?.map(|entry| {
        let name = entry.map_err(io)?.file_name();
        Ok(format!("{}\n", name.to_string_lossy()))
    });
    names.collect()
}

/// In the visitor: what a server sends to each of `clients`, which are connected at the same time: the
/// same to all, or what is other than the first one's. `patience` is for all of it, because a server may
/// send one byte at a time.
fn words_of(server: SocketAddr, clients: u32, patience: Duration) -> std::io::Result<String> {
    let deadline = Instant::now() + patience;
    let streams = (0..clients).map(|_| TcpStream::connect_timeout(&server, patience));
    let mut streams = streams.collect::<std::io::Result<Vec<_>>>()?;
    let words = streams.iter_mut().map(|stream| words_from(stream, deadline));
    let words = words.collect::<std::io::Result<Vec<_>>>()?;
    let other = words.iter().find(|other| **other != words[0]);
    Ok(other.or(words.first()).cloned().unwrap_or_default())
}

fn words_from(stream: &mut TcpStream, deadline: Instant) -> std::io::Result<String> {
    let (mut words, mut buffer) = (Vec::new(), [0; READ as usize]);
    while words.len() < READ as usize {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Errno::EAGAIN.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            length => words.extend(&buffer[..length]),
        }
    }
    Ok(String::from_utf8_lossy(&words).into_owned())
}

/// In the visitor: connects to a listener that it has made in another namespace, and sends a byte
/// in each direction. Returns the client's address as the listener sees it.
fn converse(listener: &TcpListener) -> std::io::Result<IpAddr> {
    let patience = patience();
    let mut here = TcpStream::connect_timeout(&listener.local_addr()?, patience)?;
    // The client is connected when the handshake's answer has arrived; the server, one packet
    // later.
    if !sys::await_readable(listener, patience)? {
        return Err(ErrorKind::TimedOut.into());
    }
    let (mut there, from) = listener.accept()?;
    let mut byte = *b"x";
    here.set_read_timeout(Some(patience))?;
    there.set_read_timeout(Some(patience))?;
    here.write_all(&byte)?;
    there.read_exact(&mut byte)?;
    there.write_all(&byte)?;
    here.read_exact(&mut byte)?;
    Ok(from.ip())
}

/// The host name in a UTS namespace.
///
/// # Errors
///
/// Those of clone(2) and setns(2); `ECHILD` when the visitor was killed.
pub fn host_name(uts: &Namespace) -> nix::Result<String> {
    send(Visit::HostName, uts)
}

/// The host name in the UTS namespace that is mounted at `path` in the mount namespace `mnt`.
///
/// # Errors
///
/// `ENOENT` when nothing is there, `EINVAL` when it is not a UTS namespace, and as for
/// [`host_name`].
pub fn host_name_at(mnt: &Namespace, path: &str) -> nix::Result<String> {
    send(Visit::HostNameAt(path.to_owned()), mnt)
}

/// All mounts of a mount namespace, even those outside the root directory of the processes in it.
///
/// # Errors
///
/// As for [`host_name`].
pub fn mounts_in(mnt: &Namespace) -> nix::Result<Vec<Mount>> {
    Ok(mounts::parse(&send(Visit::Mounts, mnt)?))
}

/// The same as a process reads it that is in the cgroup namespace `cgroup`, too: the root of a cgroup mount
/// is shown from there on.
///
/// # Errors
///
/// As for [`host_name`].
pub fn mounts_seen_from(cgroup: &Namespace, mnt: &Namespace) -> nix::Result<Vec<Mount>> {
    Ok(mounts::parse(&send_through(Visit::Mounts, &[cgroup, mnt])?))
}

/// The `uid_map` or `gid_map` of a user namespace, as a process in it reads it: first id inside, first
/// id in the namespace that it is nested in, length.
///
/// # Errors
///
/// As for [`host_name`].
pub fn map_in(user: &Namespace, file: &str) -> nix::Result<Vec<[u32; 3]>> {
    Ok(ranges_in(&send(Visit::IdMap(file.to_owned()), user)?))
}

/// The first 4096 bytes of a file in a mount namespace of the root lab.
///
/// # Errors
///
/// `ELOOP` for a symbolic link, those of open(2) and read(2), and as for [`host_name`].
pub fn read_in(mnt: &Namespace, path: &str) -> nix::Result<String> {
    send(Visit::Read(path.to_owned()), mnt)
}

/// The names in a folder of a mount namespace of the root lab, sorted.
///
/// # Errors
///
/// Those of open(2) and getdents(2), and as for [`host_name`].
pub fn names_in(mnt: &Namespace, path: &str) -> nix::Result<Vec<String>> {
    let text = send(Visit::Names(path.to_owned()), mnt)?;
    let mut names: Vec<_> = text.lines().map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

/// Mounts an empty tmpfs in a mount namespace of the root lab, on a folder that is made if it is
/// not there. The mount propagates as `path`'s mount does.
///
/// # Errors
///
/// Those of mkdir(2) and mount(2), and as for [`host_name`].
pub fn mount_at(mnt: &Namespace, path: &str) -> nix::Result<()> {
    send(Visit::Mount(path.to_owned()), mnt).map(drop)
}

/// Unmounts the uppermost mount at `path`.
///
/// # Errors
///
/// Those of umount(2), and as for [`host_name`].
pub fn unmount_at(mnt: &Namespace, path: &str) -> nix::Result<()> {
    send(Visit::Unmount(path.to_owned()), mnt).map(drop)
}

/// Whether a process in a mount namespace of the root lab could unmount its root directory and find
/// another tree below. No list of mounts shows that one.
///
/// # Errors
///
/// Those of unshare(2) and umount(2), and as for [`host_name`].
pub fn root_covers_another(mnt: &Namespace) -> nix::Result<bool> {
    Ok(send(Visit::Covers, mnt)? == "yes")
}

/// The text in the System V shared memory segment with the key `key`, up to its first zero byte.
///
/// # Errors
///
/// `ENOENT` when the IPC namespace has no such key, and as for [`host_name`].
pub fn segment_in(ipc: &Namespace, key: i32) -> nix::Result<String> {
    send(Visit::Segment(key), ipc)
}

/// Whether the POSIX message queue `name` (it starts with a slash) is there.
///
/// # Errors
///
/// `ENOENT` when the IPC namespace has no such queue, and as for [`host_name`].
pub fn queue_in(ipc: &Namespace, name: &str) -> nix::Result<()> {
    send(Visit::Queue(name.to_owned()), ipc).map(drop)
}

/// The names of all POSIX message queues of an IPC namespace, without their slashes.
///
/// # Errors
///
/// Those of mount(2), and as for [`host_name`].
pub fn queues_in(ipc: &Namespace) -> nix::Result<Vec<String>> {
    Ok(send(Visit::Queues, ipc)?.lines().map(str::to_owned).collect())
}

/// The interfaces of a network namespace, by index.
///
/// # Errors
///
/// As for [`host_name`].
pub fn links_in(net: &Namespace) -> nix::Result<Vec<Link>> {
    Ok(send(Visit::Links, net)?.lines().filter_map(Link::from_line).collect())
}

/// The routes of a network namespace, those of the main table, IPv4 first.
///
/// # Errors
///
/// As for [`host_name`].
pub fn routes_in(net: &Namespace) -> nix::Result<Vec<Route>> {
    Ok(send(Visit::Routes, net)?.lines().filter_map(Route::from_line).collect())
}

/// What a server on 127.0.0.1 in a network namespace sends to each of so many clients, at most 4096 bytes.
/// They are connected at the same time, and stay until all have read. If the server does not send the same
/// to all, it is what another than the first one has read.
///
/// # Errors
///
/// `ECONNREFUSED` without a listener, `ENETUNREACH` while `lo` is down, `EAGAIN` if the server has
/// not closed the connection after [`patience`]; and as for [`host_name`].
pub fn words_on_port(net: &Namespace, port: u16, clients: u32) -> nix::Result<String> {
    send(Visit::Listen(port, clients), net)
}

/// Checks that packets travel from one network namespace to an address of another and back: a
/// visitor listens in `to` and connects from `from`. Returns the client's address as the listener
/// sees it.
///
/// The user namespace that owns `from` must own `to`, or be an ancestor of its owner.
///
/// # Errors
///
/// `EADDRNOTAVAIL` when the address is none of `to`'s; `ENETUNREACH`, `EHOSTUNREACH`, or `EIO` when
/// no answer arrives within [`patience`]; and as for [`host_name`].
pub fn exchange(
    from: &Namespace,
    to: &Namespace,
    address: impl Into<IpAddr>,
) -> nix::Result<IpAddr> {
    let seen = send_through(Visit::Exchange(address.into()), &[to, from])?;
    seen.parse().map_err(|_| Errno::EPROTO)
}

fn send(visit: Visit, place: &Namespace) -> nix::Result<String> {
    send_through(visit, &[place])
}

// ANCHOR: send
/// Sends a visitor to the last of `places`, through the others. Entering takes CAP_SYS_ADMIN in the
/// user namespace that owns a place, so the visitor enters the owner of the last one first.
fn send_through(visit: Visit, places: &[&Namespace]) -> nix::Result<String> {
    let owner = places.last().ok_or(Errno::EINVAL)?.owner()?;
    let mut fds = vec![owner.fd().as_fd()];
    fds.extend(places.iter().map(|place| place.fd().as_fd()));
    supervisor::ask::<nix::Result<String>>(JOB, &visit, &fds)?
}
// ANCHOR_END: send

// ANCHOR: enter
/// In the supervisor: forks the visitor, which enters `places` in their order.
pub(crate) fn fork_visitor(body: &[u8], socket: OwnedFd, places: Vec<OwnedFd>) {
    supervisor::answer(body, socket, nix::Result::Err, |visit: Visit| {
        let folder = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let own = open("/proc/self", folder, Mode::empty())?;
        let (last, others) = places.split_last().ok_or(Errno::EINVAL)?;
        others.iter().try_for_each(|place| setns(place, CloneFlags::empty()))?;
        let prepared = visit.prepare()?;
        setns(last, CloneFlags::empty())?;
        visit.act(&own, prepared)
    });
}
// ANCHOR_END: enter

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_drips_is_not_waited_for() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut drops = 0;
            while drops < 1000 && stream.write_all(b".").is_ok() {
                drops += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            drops
        });
        let words = words_of(address, 1, Duration::from_millis(100));
        assert_eq!(words.unwrap_err().raw_os_error(), Some(libc::EAGAIN));
        assert!(server.join().unwrap() < 1000, "it was read to its end");
    }
}
