//! What the recorder looks at while a task is stopped, and what has changed since it last looked.
//!
//! All of it is read from outside, except for host names and interfaces ([`Names`]).

use std::collections::{HashMap, HashSet};
use std::ffi::c_long;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::unistd::Pid;

use super::budget::Budget;
use super::names::{self, LINKS, Names};
use super::tasks::{Task, Tasks};
use crate::look::procfs::{Fields, text_of};
use crate::look::{Kind, Namespace, cgroup};
use trace::{Argument, Change, Link, Mount, NamespaceId, Place, Target};

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
    /// The uppermost cgroup of the lab, as this process sees it; `None` for a lab without cgroups.
    top: Option<String>,
}

impl Observer {
    pub(super) fn new(budget: Budget, top: Option<String>) -> Observer {
        Observer {
            tasks: Tasks::default(),
            names: Names::default(),
            budget,
            mounts: HashMap::new(),
            links: HashMap::new(),
            top,
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

    /// The root directory and the working directory of a task. Its mounts have been looked at, so that
    /// they have numbers.
    pub(super) fn look_at_places(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        let place = |file| self.place(pid, file);
        let (root, directory) = (place("root"), place("cwd"));
        let Some(task) = self.tasks.get_mut(pid) else { return };
        let number = task.number;
        if let Some(root) = root.filter(|root| task.root.as_ref() != Some(root)) {
            task.root = Some(root.clone());
            let Place { path, mount } = root;
            changes.push(Change::Root { task: number, path, mount });
        }
        if let Some(directory) = directory.filter(|it| task.directory.as_ref() != Some(it)) {
            task.directory = Some(directory.clone());
            let Place { path, mount } = directory;
            changes.push(Change::Directory { task: number, path, mount });
        }
    }

    /// The directory that a link in `/proc/PID` leads to.
    fn place(&self, pid: Pid, file: &str) -> Option<Place> {
        let namespace = self.tasks.get(pid)?.namespaces.get(&Kind::Mnt)?;
        let link = format!("/proc/{pid}/{file}");
        let path = fs::read_link(&link).ok()?.to_string_lossy().into_owned();
        let directory = File::options().read(true).custom_flags(libc::O_PATH).open(&link).ok()?;
        let about = Fields::read(format!("/proc/self/fdinfo/{}", directory.as_raw_fd())).ok()?;
        let mount = about.number("mnt_id").and_then(|id| self.names.mount(*namespace, id));
        Some(Place { path, mount })
    }

    pub(super) fn look_at_cgroup(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        let Ok(seen) = cgroup::path_of_pid(pid) else { return };
        let path = self.below_top(&seen);
        if let Some(task) = self.tasks.get_mut(pid)
            && task.cgroup.as_ref() != Some(&path)
        {
            // Without cgroups of its own, the lab is in that of the sandbox, which is no change.
            if task.cgroup.replace(path.clone()).is_some() || self.top.is_some() {
                changes.push(Change::Cgroup { task: task.number, path });
            }
        }
        let new = changes.iter().find_map(|change| match change {
            Change::Namespace { id, .. } if id.kind == Kind::Cgroup => Some(*id),
            _ => None,
        });
        if let Some(namespace) = new.filter(|_| self.top.is_some())
            && let Some(inside) = self.names.cgroup_from(namespace, pid)
            && let Some(root) = seen.strip_suffix(inside.trim_end_matches('/'))
        {
            let text = self.below_top(root);
            changes.push(Change::Setting { namespace, file: "root".to_owned(), text });
        }
    }

    /// The path of a cgroup from the uppermost one of the lab.
    fn below_top(&self, path: &str) -> String {
        match self.top.as_ref().and_then(|top| path.strip_prefix(top.as_str())) {
            Some("") => "/".to_owned(),
            Some(below) if below.starts_with('/') => below.to_owned(),
            _ => path.to_owned(),
        }
    }

    /// The network namespace of a socket that a task has created.
    pub(super) fn look_at_socket(&mut self, pid: Pid, descriptor: i32, changes: &mut Vec<Change>) {
        let Ok(namespace) = names::of_socket(pid, descriptor) else { return };
        let namespace = self.names.namespace(Kind::Net, namespace, changes);
        if let Some(task) = self.tasks.get(pid) {
            changes.push(Change::Socket { task: task.number, descriptor, namespace });
        }
    }

    /// Which tasks cannot go on before others have been reaped: a PID 1 that has ended while a process of
    /// its namespace is a zombie, and a parent that waits for this PID 1 and for no other child.
    pub(super) fn look_at_waits(&mut self, changes: &mut Vec<Change>) {
        let of_pid = |task: &Task| task.namespaces.get(&Kind::Pid).copied();
        let ending = self.tasks.ending().into_iter();
        let ending: Vec<_> = ending.map(|(pid, task)| (pid, task.number, of_pid(task))).collect();
        let mut waits: HashMap<Pid, Vec<u32>> = HashMap::new();
        for (pid, number, namespace) in ending {
            let place = text_of(format!("/proc/{pid}/wchan")).unwrap_or_default();
            let zombies = namespace.map(|namespace| self.tasks.zombies(namespace));
            let zombies = zombies.filter(|_| place == "zap_pid_ns_processes").unwrap_or_default();
            if zombies.is_empty() {
                continue;
            }
            let init = self.tasks.get(pid).map(|init| init.pids.clone()).unwrap_or_default();
            let parents = self.tasks.alive().into_iter().filter(|(parent, task)| {
                let as_it_sees = task.pids.len().checked_sub(1).and_then(|level| init.get(level));
                as_it_sees.is_some() && awaited_child(*parent).as_ref() == as_it_sees
            });
            waits.extend(parents.map(|(parent, _)| (parent, vec![number])));
            waits.insert(pid, zombies);
        }
        let known = self.tasks.alive().into_iter().chain(self.tasks.ending());
        let known: Vec<Pid> = known.map(|(pid, _)| pid).collect();
        for pid in known {
            let on = waits.remove(&pid).unwrap_or_default();
            let Some(task) = self.tasks.get_mut(pid).filter(|task| task.waits_for != on) else {
                continue;
            };
            task.waits_for.clone_from(&on);
            changes.push(Change::Waits { task: task.number, on });
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
            Some((pid, namespace))
        });
        let mut each: Vec<_> = each.collect();
        each.sort_by_key(|(pid, _)| is_chrooted(*pid));
        each.retain(|(_, namespace)| seen.insert(*namespace));
        for (pid, namespace) in each {
            if self.budget.is_full() {
                return;
            }
            if self.mounts.get(&namespace) == Some(&None) {
                continue;
            }
            // The list of a process ends at its root directory (proc_pid_mountinfo(5)).
            if is_chrooted(pid) && self.mounts.contains_key(&namespace) {
                continue;
            }
            let Some(text) = mountinfo(pid) else { continue };
            self.budget.spend(text.len());
            if text.len() > MOUNTINFO {
                self.mounts.insert(namespace, None);
                changes.push(too_many(namespace, "mounts"));
                continue;
            }
            let mut now = self.names.mounts(namespace, &text);
            for mount in now.iter_mut().filter(|mount| mount.kind == "cgroup2") {
                mount.root = self.below_top(&mount.root);
            }
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

/// Whether the root directory of a task is below the root of its mount namespace.
fn is_chrooted(pid: Pid) -> bool {
    fs::read_link(format!("/proc/{pid}/root")).is_ok_and(|root| root != Path::new("/"))
}

/// The mounts that a task sees, as the kernel lists them: at most a little more than [`MOUNTINFO`].
fn mountinfo(pid: Pid) -> Option<String> {
    let file = File::open(format!("/proc/{pid}/mountinfo")).ok()?;
    let mut bytes = Vec::new();
    file.take(MOUNTINFO as u64 + 1).read_to_end(&mut bytes).ok()?;
    // A name may be no UTF-8, and the last one may be cut.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The child for whose end a task waits in wait4(2) or waitid(2), by the pid that it has given. `None`
/// if it does not wait, or for any child.
fn awaited_child(pid: Pid) -> Option<i32> {
    let call = text_of(format!("/proc/{pid}/syscall")).ok()?;
    let mut words = call.split(' ');
    let number: c_long = words.next()?.parse().ok()?;
    let mut argument = || i64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok();
    let child = match number {
        libc::SYS_wait4 => argument()?,
        libc::SYS_waitid if argument()? == i64::from(libc::P_PID) => argument()?,
        _ => return None,
    };
    i32::try_from(child).ok().filter(|child| *child > 0)
}

/// Lines of words with one space between.
fn words(text: &str) -> String {
    let lines =
        text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}
