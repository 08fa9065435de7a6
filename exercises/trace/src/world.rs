//! The world after an event: the sum of the changes up to it.

use std::collections::BTreeMap;

use super::event::{Change, Event, Exit, Link, Mount};
use super::kind::Kind;
use super::namespace::NamespaceId;

/// Which tasks and namespaces there are at one moment of a trace, and which task is where.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// By their numbers.
    pub tasks: BTreeMap<u32, Task>,
    /// In the order in which they were first seen.
    pub namespaces: Vec<Namespace>,
}

/// A process, or one of its threads.
#[derive(Clone, Debug, Default)]
pub struct Task {
    pub process: u32,
    pub parent: Option<u32>,
    /// The name of the program that it executes.
    pub program: String,
    pub pids: Vec<i32>,
    /// The namespaces that it is in. Empty when the kernel does not let the recorder look.
    pub namespaces: BTreeMap<Kind, NamespaceId>,
    /// The namespaces in which its next children will be born, where these are not its own.
    pub children: BTreeMap<Kind, NamespaceId>,
    pub capabilities: Option<u64>,
    pub root: Option<Place>,
    /// The working directory.
    pub directory: Option<Place>,
    pub cgroup: Option<String>,
    /// The descriptors of the sockets that it has created, each with its network namespace.
    pub sockets: BTreeMap<i32, NamespaceId>,
    /// The tasks that have to be reaped before it goes on.
    pub waits_for: Vec<u32>,
    pub ended: Option<Exit>,
}

/// A directory, as a path in a mount namespace, and the number of the mount that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub mount: Option<u32>,
}

impl Task {
    /// Its program and its pids: `sh [4 1]`.
    pub fn label(&self) -> String {
        format!("{} {}", self.program, self.pids_in_brackets())
    }

    pub fn pids_in_brackets(&self) -> String {
        let pids: Vec<String> = self.pids.iter().map(i32::to_string).collect();
        format!("[{}]", pids.join(" "))
    }

    /// Its pid in its own PID namespace.
    pub fn own_pid(&self) -> Option<i32> {
        self.pids.last().copied()
    }
}

/// One namespace and what is known of it.
#[derive(Clone, Debug)]
pub struct Namespace {
    pub id: NamespaceId,
    pub owner: Option<NamespaceId>,
    pub parent: Option<NamespaceId>,
    /// Contents of `uid_map`, `gid_map`, `setgroups` and `timens_offsets`, and the `root` of a cgroup
    /// namespace.
    pub settings: BTreeMap<String, String>,
    /// By their numbers.
    pub mounts: BTreeMap<u32, Mount>,
    pub host_name: Option<String>,
    pub links: Vec<Link>,
}

impl World {
    /// The world after all these events.
    pub fn after<'a>(events: impl IntoIterator<Item = &'a Event>) -> World {
        let mut world = World::default();
        for event in events {
            world.apply(event);
        }
        world
    }

    /// Adds the changes of one more event.
    pub fn apply(&mut self, event: &Event) {
        for change in &event.changes {
            self.change(change);
        }
    }

    pub fn namespace(&self, id: NamespaceId) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.id == id)
    }

    /// Numbers of the tasks that are alive and in this namespace.
    pub fn members(&self, namespace: NamespaceId) -> impl Iterator<Item = u32> {
        let here = move |task: &Task| {
            task.ended.is_none() && task.namespaces.get(&namespace.kind) == Some(&namespace)
        };
        self.tasks.iter().filter(move |(_, task)| here(task)).map(|(number, _)| *number)
    }

    fn change(&mut self, change: &Change) {
        match change.clone() {
            Change::Namespace { id, owner, parent } => self.namespaces.push(Namespace {
                id,
                owner,
                parent,
                settings: BTreeMap::new(),
                mounts: BTreeMap::new(),
                host_name: None,
                links: Vec::new(),
            }),
            Change::Task { task, process, parent, pids, namespaces } => {
                let maker = parent.and_then(|parent| self.tasks.get(&parent));
                let maker = maker.cloned().unwrap_or_default();
                let namespaces = namespaces.into_iter().map(|id| (id.kind, id)).collect();
                let task_here = Task {
                    process,
                    parent,
                    program: maker.program,
                    pids,
                    namespaces,
                    root: maker.root,
                    directory: maker.directory,
                    cgroup: maker.cgroup,
                    ..Task::default()
                };
                self.tasks.insert(task, task_here);
            }
            Change::Joined { task, namespace } => self.with(task, |task| {
                task.children.remove(&namespace.kind);
                task.namespaces.insert(namespace.kind, namespace);
            }),
            Change::Children { task, namespace } => {
                self.with(task, |task| _ = task.children.insert(namespace.kind, namespace));
            }
            Change::Capabilities { task, effective } => {
                self.with(task, |task| task.capabilities = Some(effective));
            }
            Change::Program { task, name } => self.with(task, |task| task.program = name),
            Change::Ended { task, how } => self.with(task, |task| task.ended = Some(how)),
            Change::Root { task, path, mount } => {
                self.with(task, |task| task.root = Some(Place { path, mount }));
            }
            Change::Directory { task, path, mount } => {
                self.with(task, |task| task.directory = Some(Place { path, mount }));
            }
            Change::Cgroup { task, path } => self.with(task, |task| task.cgroup = Some(path)),
            Change::Socket { task, descriptor, namespace } => {
                self.with(task, |task| _ = task.sockets.insert(descriptor, namespace));
            }
            Change::Waits { task, on } => self.with(task, |task| task.waits_for = on),
            Change::Setting { namespace, file, text } => {
                self.within(namespace, |namespace| _ = namespace.settings.insert(file, text));
            }
            Change::Mount { namespace, mount } => {
                self.within(namespace, |namespace| _ = namespace.mounts.insert(mount.id, mount));
            }
            Change::Unmount { namespace, id } => {
                self.within(namespace, |namespace| _ = namespace.mounts.remove(&id));
            }
            Change::HostName { namespace, name } => {
                self.within(namespace, |namespace| namespace.host_name = Some(name));
            }
            Change::Links { namespace, links } => {
                self.within(namespace, |namespace| namespace.links = links);
            }
        }
    }

    /// A trace that was cut may mention a task that it never introduced: nothing happens then.
    fn with(&mut self, task: u32, act: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(&task) {
            act(task);
        }
    }

    fn within(&mut self, id: NamespaceId, act: impl FnOnce(&mut Namespace)) {
        if let Some(namespace) = self.namespaces.iter_mut().find(|namespace| namespace.id == id) {
            act(namespace);
        }
    }
}
