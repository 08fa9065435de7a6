//! Names for what a trace shows: letters for namespaces, numbers for mounts and peer groups, in the
//! order in which they are first seen.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::unistd::{Pid, gethostname};

use crate::look::{Fields, Kind, Namespace, cgroup, mounts, network};
use crate::sys;
use trace::{Change, Link, Mount, NamespaceId};

/// How many interfaces a network namespace may have and still be followed. The other end of each is
/// looked for among all.
pub(super) const LINKS: usize = 500;

#[derive(Default)]
pub(super) struct Names {
    /// Each is kept open, so that the kernel does not reuse its inode number.
    namespaces: Vec<(Namespace, NamespaceId)>,
    counts: [u32; Kind::ALL.len()],
    /// By mount namespace and the kernel's id.
    mounts: HashMap<(NamespaceId, u64), u32>,
    mounts_so_far: u32,
    peer_groups: HashMap<u64, usize>,
}

impl Names {
    /// The namespace's name. If it is new, `changes` gets it, and the user namespaces above it that
    /// are new as well.
    pub(super) fn namespace(
        &mut self,
        kind: Kind,
        namespace: Namespace,
        changes: &mut Vec<Change>,
    ) -> NamespaceId {
        if let Some(known) = self.known(&namespace) {
            return known;
        }
        let count = &mut self.counts[kind as usize];
        *count += 1;
        let id = NamespaceId { kind, index: *count };
        self.introduce(namespace, id, changes)
    }

    pub(super) fn known(&self, namespace: &Namespace) -> Option<NamespaceId> {
        let (_, id) = self.namespaces.iter().find(|(known, _)| known == namespace)?;
        Some(*id)
    }

    fn introduce(
        &mut self,
        namespace: Namespace,
        id: NamespaceId,
        changes: &mut Vec<Change>,
    ) -> NamespaceId {
        let (parent, owner) = (namespace.parent().ok(), namespace.owner().ok());
        self.namespaces.push((namespace, id));
        let (parent, owner) = match id.kind {
            Kind::User => (parent.map(|parent| self.user_above(parent, changes)), None),
            // The PID namespace around the sandbox is not part of the trace.
            Kind::Pid => (
                parent.and_then(|parent| self.known(&parent)),
                owner.map(|owner| self.user_above(owner, changes)),
            ),
            _ => (None, owner.map(|owner| self.user_above(owner, changes))),
        };
        changes.push(Change::Namespace { id, owner, parent });
        id
    }

    /// The name of a user namespace that another namespace refers to.
    fn user_above(&mut self, namespace: Namespace, changes: &mut Vec<Change>) -> NamespaceId {
        if self.known(&namespace).is_some() || self.is_below_a_known_one(&namespace) {
            self.namespace(Kind::User, namespace, changes)
        } else {
            self.introduce(namespace, NamespaceId::OUTER, changes)
        }
    }

    /// Whether one of the user namespaces that have a name is above this one.
    fn is_below_a_known_one(&self, namespace: &Namespace) -> bool {
        let mut above = namespace.parent();
        while let Ok(parent) = above {
            if self.known(&parent).is_some() {
                return true;
            }
            above = parent.parent();
        }
        false
    }

    /// Adds the host name of each UTS namespace that these changes introduce. The recorder enters the
    /// namespace to read it, and does not need to return.
    pub(super) fn host_names(&self, changes: &mut Vec<Change>) {
        let new = changes.iter().filter_map(|change| match change {
            Change::Namespace { id, .. } if id.kind == Kind::Uts => {
                let (held, _) = self.namespaces.iter().find(|(_, known)| known == id)?;
                setns(held.fd(), CloneFlags::CLONE_NEWUTS).ok()?;
                let name = gethostname().ok()?.to_string_lossy().into_owned();
                Some(Change::HostName { namespace: *id, name })
            }
            _ => None,
        });
        let named = |change: &Change| match change {
            Change::HostName { namespace, .. } => Some(*namespace),
            _ => None,
        };
        let known: Vec<NamespaceId> = changes.iter().filter_map(named).collect();
        let new: Vec<Change> =
            new.filter(|change| named(change).is_some_and(|id| !known.contains(&id))).collect();
        changes.extend(new);
    }

    /// The interfaces of every network namespace that has a name, even if no process is in it, or
    /// `None` if they are more than [`LINKS`]. The recorder enters each namespace, as for host names.
    /// Those that are not `followed` are skipped.
    pub(super) fn links(
        &self,
        followed: impl Fn(NamespaceId) -> bool,
    ) -> Vec<(NamespaceId, Option<Vec<Link>>)> {
        let nets = self.namespaces.iter().filter(|(_, id)| id.kind == Kind::Net);
        let found = nets.filter(|(_, id)| followed(*id)).filter_map(|(held, id)| {
            setns(held.fd(), CloneFlags::CLONE_NEWNET).ok()?;
            Some((*id, network::links().ok()?))
        });
        let (found, crowds): (Vec<_>, Vec<_>) = found.partition(|(_, links)| links.len() <= LINKS);
        let shown = |(namespace, links): &(NamespaceId, Vec<network::Link>)| {
            let links = links.iter().map(|link| Link {
                name: link.name.clone(),
                up: link.up,
                addresses: link.addresses.clone(),
                peer: peer(link, *namespace, &found),
                bridge: link.bridge.and_then(|index| name_of(links, index)),
            });
            (*namespace, Some(links.collect()))
        };
        let too_many = crowds.iter().map(|(namespace, _)| (*namespace, None));
        found.iter().map(shown).chain(too_many).collect()
    }

    /// The cgroup of a process as it is seen from this cgroup namespace. A thread enters it, because the
    /// recorder has to return.
    pub(super) fn cgroup_from(&self, id: NamespaceId, pid: Pid) -> Option<String> {
        let (held, _) = self.namespaces.iter().find(|(_, known)| *known == id)?;
        thread::scope(|scope| {
            let look = || {
                setns(held.fd(), CloneFlags::CLONE_NEWCGROUP).ok()?;
                cgroup::path_of_pid(pid).ok()
            };
            thread::Builder::new().spawn_scoped(scope, look).ok()?.join().ok()?
        })
    }

    /// The number of the mount that has this id in the kernel, if it has been in a list.
    pub(super) fn mount(&self, namespace: NamespaceId, id: u64) -> Option<u32> {
        self.mounts.get(&(namespace, id)).copied()
    }

    /// The mounts in `text`, the mountinfo of a process in this mount namespace.
    pub(super) fn mounts(&mut self, namespace: NamespaceId, text: &str) -> Vec<Mount> {
        let lines = mounts::parse(text);
        let mut number = |id: u64| {
            let so_far = &mut self.mounts_so_far;
            *self.mounts.entry((namespace, id)).or_insert_with(|| {
                *so_far += 1;
                *so_far
            })
        };
        let numbers: Vec<_> = lines.iter().map(|line| (line.id, number(line.id))).collect();
        let known: HashMap<_, _> = numbers.iter().copied().collect();
        let groups = &mut self.peer_groups;
        let mut tag = |how: &str, group: Option<u64>| {
            let count = groups.len() + 1;
            Some(format!("{how}:{}", groups.entry(group?).or_insert(count)))
        };
        lines
            .iter()
            .zip(numbers)
            .map(|(line, (_, id))| Mount {
                id,
                parent: known.get(&line.parent).copied().filter(|parent| *parent != id),
                kind: line.kind.clone(),
                root: line.root.clone(),
                point: line.point.clone(),
                read_only: line.is_read_only(),
                propagation: [
                    tag("shared", line.propagation.shared),
                    tag("master", line.propagation.master),
                ]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
            })
            .collect()
    }
}

/// The other end of a veth pair: its namespace, if it is known, and its name. The kernel gives only
/// the index. In another namespace it is the interface with this index whose own other end has the
/// index of `link`.
fn peer(
    link: &network::Link,
    namespace: NamespaceId,
    all: &[(NamespaceId, Vec<network::Link>)],
) -> Option<(Option<NamespaceId>, String)> {
    let index = link.peer.filter(|_| link.kind.as_deref() == Some("veth"))?;
    if !link.peer_is_elsewhere {
        let (_, links) = all.iter().find(|(id, _)| *id == namespace)?;
        return Some((Some(namespace), name_of(links, index)?));
    }
    let others = all.iter().filter(|(id, _)| *id != namespace);
    let mut fitting = others.flat_map(|(id, links)| {
        let fits = |other: &&network::Link| {
            other.index == index && other.peer == Some(link.index) && other.peer_is_elsewhere
        };
        links.iter().filter(fits).map(|other| (Some(*id), other.name.clone()))
    });
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Some(one),
        // It is outside the trace, or several pairs have these indexes.
        _ => None,
    }
}

fn name_of(links: &[network::Link], index: u32) -> Option<String> {
    links.iter().find(|link| link.index == index).map(|link| link.name.clone())
}

/// Opens a namespace of a task, by the name of its file in `/proc/TID/ns`.
pub(super) fn open(task: Pid, file: &str) -> nix::Result<Namespace> {
    let file = File::open(format!("/proc/{task}/ns/{file}"));
    Namespace::from_fd(file.map_err(|error| sys::errno_of(&error))?.into())
}

/// Opens the network namespace of a socket: that of its creation (`SIOCGSKNS`, Linux 4.10).
pub(super) fn of_socket(task: Pid, descriptor: i32) -> nix::Result<Namespace> {
    // `linux/sockios.h`; libc does not have it.
    const SIOCGSKNS: libc::Ioctl = 0x894c;
    // Only processes have a pidfd, and their threads share their descriptors.
    let process = Fields::status(task).and_then(|status| status.number("Tgid"));
    let pidfd = sys::pidfd_open(process.map_or(task, Pid::from_raw))?;
    let socket = sys::pidfd_getfd(pidfd.as_fd(), descriptor)?;
    Namespace::from_fd(sys::ioctl_fd(socket.as_fd(), SIOCGSKNS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_keeps_its_name() {
        let mut names = Names::default();
        let mut changes = Vec::new();
        let ours = || open(Pid::this(), "uts").unwrap();
        assert_eq!(names.namespace(Kind::Uts, ours(), &mut changes).to_string(), "uts A");
        let told = changes.len();
        assert_eq!(names.namespace(Kind::Uts, ours(), &mut changes).to_string(), "uts A");
        assert_eq!(changes.len(), told);
    }

    #[test]
    fn mounts_and_peer_groups_are_numbered_in_order_of_first_sight() {
        let mut names = Names::default();
        let text =
            "36 35 98:0 / / rw shared:7 - ext3 a rw\n40 36 0:5 / /tmp ro master:7 - tmpfs b rw\n";
        let mounts = names.mounts(NamespaceId { kind: Kind::Mnt, index: 1 }, text);
        assert_eq!(
            (mounts[0].id, mounts[0].parent, mounts[0].propagation.as_str()),
            (1, None, "shared:1")
        );
        assert_eq!(
            (mounts[1].id, mounts[1].parent, mounts[1].propagation.as_str()),
            (2, Some(1), "master:1")
        );
        assert!(mounts[1].read_only && !mounts[0].read_only);
        assert_eq!(
            names.mounts(NamespaceId { kind: Kind::Mnt, index: 2 }, text)[0].id,
            3,
            "another namespace's mount is another one"
        );
    }
}
