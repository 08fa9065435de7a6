//! What the recorder looks at while a task is stopped, and what has changed since it last looked.
//!
//! All of it is read from outside, except for host names and interfaces ([`Names`]).

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read as _;

use nix::unistd::Pid;

use super::budget::Budget;
use super::names::{self, LINKS, Names};
use super::tasks::{Task, Tasks};
use crate::look::procfs::{Fields, text_of};
use crate::look::{Kind, Namespace, cgroup};
use trace::{Argument, Change, Link, Mount, NamespaceId, Target};

/// How many bytes of one mountinfo are read: some 1500 mounts. A namespace that has more is not
/// followed any further.
const MOUNTINFO: usize = 256 << 10;

/// About how many bytes the kernel sends about one interface.
const LINK: usize = 1 << 10;

/// What the trace shows as a setting of those that are not followed any further.
const TOO_MANY: &str = "too many to be followed any further";

/// The state of all tasks and namespaces as the trace has it so far.
pub(super) struct Observer {
    pub(super) tasks: Tasks,
    pub(super) names: Names,
    pub(super) budget: Budget,
    /// The mounts of each mount namespace; `None` for too many.
    mounts: HashMap<NamespaceId, Option<Vec<Mount>>>,
    /// The interfaces of each network namespace; `None` for too many.
    links: HashMap<NamespaceId, Option<Vec<Link>>>,
}

impl Observer {
    pub(super) fn new(budget: Budget) -> Observer {
        Observer {
            tasks: Tasks::default(),
            names: Names::default(),
            budget,
            mounts: HashMap::new(),
            links: HashMap::new(),
        }
    }

    /// A task is seen for the first time.
    pub(super) fn introduce(&mut self, pid: Pid, parent: Option<u32>, changes: &mut Vec<Change>) {
        let mut namespaces = Vec::new();
        // Each namespace that gets a name is held open.
        let is_told = !self.budget.is_full();
        for kind in Kind::ALL.into_iter().filter(|kind| is_told && kind.exists()) {
            if let Ok(namespace) = names::open(pid, kind.name()) {
                namespaces.push(self.names.namespace(kind, namespace, changes));
            }
        }
        // The first number is the one in our own PID namespace.
        let pids = Fields::status(pid).unwrap_or_default().pids().into_iter().skip(1);
        let Some(task) = self.tasks.get_mut(pid) else { return };
        task.namespaces = namespaces.iter().map(|id| (id.kind, *id)).collect();
        task.pids = pids.collect();
        let Task { number, process, ref pids, .. } = *task;
        changes.push(Change::Task {
            task: number,
            process,
            parent,
            pids: pids.clone(),
            namespaces,
        });
    }

    /// Everything about a task that a call may have changed.
    pub(super) fn look(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        if self.budget.is_full() {
            return;
        }
        for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
            let Ok(namespace) = names::open(pid, kind.name()) else { continue };
            let namespace = self.names.namespace(kind, namespace, changes);
            let Some(task) = self.tasks.get_mut(pid) else { return };
            if task.namespaces.insert(kind, namespace) != Some(namespace) {
                changes.push(Change::Joined { task: task.number, namespace });
            }
        }
        self.look_at_children_of(pid, changes);
        let effective = Fields::status(pid).and_then(|status| status.bits("CapEff"));
        if let (Some(task), Some(effective)) = (self.tasks.get_mut(pid), effective)
            && task.capabilities.replace(effective) != Some(effective)
        {
            changes.push(Change::Capabilities { task: task.number, effective });
        }
        self.look_at_root(pid, changes);
        self.look_at_cgroup(pid, changes);
    }

    /// Where its next children will be born. `pid_for_children` cannot be opened before the new PID
    /// namespace has its first process (`pidns_for_children_get` in kernel/pid_namespace.c).
    pub(super) fn look_at_children_of(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        for (kind, file) in [(Kind::Pid, "pid_for_children"), (Kind::Time, "time_for_children")] {
            let Ok(namespace) = names::open(pid, file) else { continue };
            let namespace = self.names.namespace(kind, namespace, changes);
            let Some(task) = self.tasks.get_mut(pid) else { return };
            let own = task.namespaces.get(&kind).copied();
            if task.children.insert(kind, namespace).or(own) != Some(namespace) {
                changes.push(Change::Children { task: task.number, namespace });
            }
        }
    }

    pub(super) fn look_at_root(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        let root = fs::read_link(format!("/proc/{pid}/root"));
        let Ok(path) = root.map(|root| root.to_string_lossy().into_owned()) else { return };
        if let Some(task) = self.tasks.get_mut(pid)
            && task.root.as_ref() != Some(&path)
        {
            // What the first look finds is no change, unless it is a chroot.
            if task.root.replace(path.clone()).is_some() || path != "/" {
                changes.push(Change::Root { task: task.number, path });
            }
        }
    }

    pub(super) fn look_at_cgroup(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        let Ok(path) = cgroup::path_of_pid(pid) else { return };
        if let Some(task) = self.tasks.get_mut(pid)
            && task.cgroup.as_ref() != Some(&path)
        {
            // The first look finds the cgroup of the sandbox, which is no change.
            if task.cgroup.replace(path.clone()).is_some() {
                changes.push(Change::Cgroup { task: task.number, path });
            }
        }
    }

    /// What has changed in the network namespaces of the trace. Netlink messages, not calls of a
    /// trace, make and move interfaces, so the recorder looks when a task executes another program or
    /// ends.
    pub(super) fn look_at_links(&mut self, changes: &mut Vec<Change>) {
        if self.budget.is_full() {
            return;
        }
        let is_followed = |id| self.links.get(&id) != Some(&None);
        for (namespace, links) in self.names.links(is_followed) {
            self.budget.spend(LINK * (1 + links.as_ref().map_or(LINKS, Vec::len)));
            if self.links.get(&namespace) != Some(&links) {
                self.links.insert(namespace, links.clone());
                changes.push(match links {
                    Some(links) => Change::Links { namespace, links },
                    None => too_many(namespace, "links"),
                });
            }
        }
    }

    /// What has changed in the mount namespaces of all tasks: mounts propagate from one to another.
    pub(super) fn look_at_mounts(&mut self, changes: &mut Vec<Change>) {
        let mut seen = HashSet::new();
        let each = self.tasks.alive().into_iter().filter_map(|(pid, task)| {
            let namespace = *task.namespaces.get(&Kind::Mnt)?;
            seen.insert(namespace).then_some((pid, namespace))
        });
        for (pid, namespace) in each.collect::<Vec<_>>() {
            if self.budget.is_full() {
                return;
            }
            if self.mounts.get(&namespace) == Some(&None) {
                continue;
            }
            let Some(text) = mountinfo(pid) else { continue };
            self.budget.spend(text.len());
            if text.len() > MOUNTINFO {
                self.mounts.insert(namespace, None);
                changes.push(too_many(namespace, "mounts"));
                continue;
            }
            let now = self.names.mounts(namespace, &text);
            let before = self.mounts.insert(namespace, Some(now.clone()));
            let before = before.flatten().unwrap_or_default();
            // A program may have thousands.
            let numbers: HashSet<_> = now.iter().map(|mount| mount.id).collect();
            let known: HashMap<_, _> = before.iter().map(|mount| (mount.id, mount)).collect();
            let gone = before.iter().filter(|old| !numbers.contains(&old.id));
            changes.extend(gone.map(|old| Change::Unmount { namespace, id: old.id }));
            let new = now.iter().filter(|mount| known.get(&mount.id) != Some(mount)).cloned();
            changes.extend(new.map(|mount| Change::Mount { namespace, mount }));
        }
    }

    /// A task has written to a file that the trace follows.
    pub(super) fn written(
        &mut self,
        pid: Pid,
        file: &str,
        bytes: &[u8],
        changes: &mut Vec<Change>,
    ) {
        let name = file.rsplit('/').next().unwrap_or(file);
        if name == "cgroup.procs" {
            let alive: Vec<Pid> = self.tasks.alive().into_iter().map(|(pid, _)| pid).collect();
            return alive.into_iter().for_each(|pid| self.look_at_cgroup(pid, changes));
        }
        let namespace = self.tasks.of_path(pid, file).and_then(|task| match name {
            "timens_offsets" => task.children.get(&Kind::Time),
            _ => task.namespaces.get(&Kind::User),
        });
        if let Some(namespace) = namespace.copied() {
            let text = words(&String::from_utf8_lossy(bytes));
            changes.push(Change::Setting { namespace, file: name.to_owned(), text });
        }
    }

    /// The settings of the user namespace that a task is in.
    pub(super) fn settings(&self, pid: Pid, changes: &mut Vec<Change>) {
        let user = self.tasks.get(pid).and_then(|task| task.namespaces.get(&Kind::User));
        let Some(namespace) = user.copied() else { return };
        for file in ["uid_map", "gid_map", "setgroups"] {
            let text = words(&text_of(format!("/proc/{pid}/{file}")).unwrap_or_default());
            changes.push(Change::Setting { namespace, file: file.into(), text });
        }
    }

    /// What a descriptor of setns(2) is open on.
    pub(super) fn target(&self, pid: Pid, fd: i32) -> Option<Target> {
        let path = format!("/proc/{pid}/fd/{fd}");
        let link = fs::read_link(&path).unwrap_or_default().to_string_lossy().into_owned();
        // Before Linux 6.9 a pidfd is an anonymous inode: `anon_inode:[pidfd]`.
        if link.contains("[pidfd]") || link.starts_with("pidfd:") {
            let info = Fields::read(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
            // As in a status file: the first is the number in our own PID namespace.
            let level = self.tasks.get(pid).map_or(1, |task| task.pids.len());
            return Some(Target::Process(info.pids().get(level).copied()));
        }
        let namespace = Namespace::open(&path).ok()?;
        self.names.known(&namespace).map(Target::Namespace)
    }

    /// The path as the task would type it: the kernel resolves `/proc/self` at the opening.
    pub(super) fn with_self(&self, pid: Pid, path: &mut Argument) {
        let Argument::Text(path) = path else { return };
        let Some((number, rest)) = path.strip_prefix("/proc/").and_then(|at| at.split_once('/'))
        else {
            return;
        };
        let is_own = |task: &Task| number.parse().is_ok_and(|number| task.pids.contains(&number));
        if self.tasks.get(pid).is_some_and(is_own) {
            *path = format!("/proc/self/{rest}");
        }
    }
}

fn too_many(namespace: NamespaceId, what: &str) -> Change {
    Change::Setting { namespace, file: what.to_owned(), text: TOO_MANY.to_owned() }
}

/// The mounts that a task sees, as the kernel lists them: at most a little more than [`MOUNTINFO`].
fn mountinfo(pid: Pid) -> Option<String> {
    let file = File::open(format!("/proc/{pid}/mountinfo")).ok()?;
    let mut bytes = Vec::new();
    file.take(MOUNTINFO as u64 + 1).read_to_end(&mut bytes).ok()?;
    // A name may be no UTF-8, and the last one may be cut.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines of words with one space between.
fn words(text: &str) -> String {
    let lines =
        text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}
