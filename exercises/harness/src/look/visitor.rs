//! The visitor: a process of the harness that enters namespaces and reads there.
//!
//! A host name, for one, can only be read from inside its UTS namespace. The supervisor forks the
//! visitor (setns(2) to a user namespace needs a process with one thread). It stays outside the
//! learner's PID namespace, so nobody in there can trace or signal it. It works as well when the
//! last process inside has ended: the descriptors keep the namespaces alive.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::exit;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::Mode;

use super::{Namespace, mounts};
use crate::sandbox::supervisor::{self, VISIT};
use crate::sandbox::wire::{self, Reader, Writer};
use crate::sys::{self, Fork};

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// uname(2)'s node name.
    HostName,
    /// The same in the UTS namespace that is mounted on a path.
    HostNameAt(String),
    /// A line for each mount.
    Mounts,
}

impl Visit {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Writer(vec![VISIT]);
        match self {
            Visit::HostName => to.number(0).text(""),
            Visit::HostNameAt(path) => to.number(1).text(path),
            Visit::Mounts => to.number(2).text(""),
        };
        to.0
    }

    pub(crate) fn decode(body: &[u8]) -> Option<Visit> {
        let mut from = Reader(body);
        match (from.number()?, from.text()?) {
            (0, _) => Some(Visit::HostName),
            (1, path) => Some(Visit::HostNameAt(path)),
            (2, _) => Some(Visit::Mounts),
            _ => None,
        }
    }

    /// In the visitor, where it has gone. `own` is its folder in the `/proc` that it came from: the
    /// one inside shows another PID namespace, and knows no visitor.
    fn read(&self, own: &OwnedFd) -> nix::Result<String> {
        let read_only = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        match self {
            Visit::HostName => {}
            Visit::HostNameAt(path) => {
                let namespace = open(path.as_str(), read_only, Mode::empty())?;
                setns(namespace, CloneFlags::CLONE_NEWUTS)?;
            }
            Visit::Mounts => {
                let mut text = String::new();
                let mut file = File::from(openat(own, "mountinfo", read_only, Mode::empty())?);
                file.read_to_string(&mut text).map_err(|_| Errno::EIO)?;
                let mounts = mounts::parse(&text);
                return Ok(mounts.iter().map(|mount| format!("{mount}\n")).collect());
            }
        }
        nix::unistd::gethostname()?.into_string().map_err(|_| Errno::EILSEQ)
    }
}

/// The host name in a UTS namespace.
///
/// # Errors
///
/// Those of setns(2); `ECHILD` when the visitor could not be started.
pub fn host_name(uts: &Namespace) -> nix::Result<String> {
    send(Visit::HostName, uts)
}

/// The host name in the UTS namespace that is mounted on `path`, seen in the mount namespace `mnt`.
///
/// # Errors
///
/// `ENOENT` when nothing is there, `EINVAL` when it is something else than a UTS namespace.
pub fn host_name_at(mnt: &Namespace, path: &str) -> nix::Result<String> {
    send(Visit::HostNameAt(path.to_owned()), mnt)
}

/// The mounts of a mount namespace, as `KIND on POINT`.
///
/// # Errors
///
/// As for [`host_name`].
pub fn mounts_in(mnt: &Namespace) -> nix::Result<Vec<String>> {
    Ok(send(Visit::Mounts, mnt)?.lines().map(str::to_owned).collect())
}

/// Sends a visitor to `place`. The right to enter is the owner's: the visitor goes through the
/// user namespace that owns the place.
fn send(visit: Visit, place: &Namespace) -> nix::Result<String> {
    let owner = place.owner()?;
    let (ours, theirs) = wire::pair()?;
    let supervisor = supervisor::socket().map_err(|error| error.errno)?;
    wire::send(
        supervisor,
        &visit.encode(),
        &[theirs.as_fd(), owner.fd().as_fd(), place.fd().as_fd()],
    )?;
    drop(theirs);
    let answer = wire::receive(ours.as_fd())?.ok_or(Errno::ECHILD)?;
    let mut answer = Reader(&answer.bytes);
    match (answer.number(), answer.text()) {
        (Some(0), Some(text)) => Ok(text),
        (Some(errno), _) => Err(Errno::from_raw(errno as i32)),
        _ => Err(Errno::EPROTO),
    }
}

/// In the supervisor: forks the visitor, which answers on the first descriptor and enters the
/// others in their order.
pub(crate) fn fork_visitor(visit: Visit, mut fds: impl Iterator<Item = OwnedFd>) {
    let Some(answer) = fds.next() else { return };
    let places: Vec<OwnedFd> = fds.collect();
    // SAFETY: the supervisor has one thread.
    if let Ok(Fork::Child) = unsafe { sys::fork_into(0) } {
        let go = || {
            let folder = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let own = open("/proc/self", folder, Mode::empty())?;
            places.iter().try_for_each(|place| setns(place, CloneFlags::empty()))?;
            visit.read(&own)
        };
        let mut to = Writer::default();
        match go() {
            Ok(text) => to.number(0).text(&text),
            Err(errno) => to.number(errno as u64).text(""),
        };
        _ = wire::send(answer.as_fd(), &to.0, &[]);
        exit(0);
    }
}
