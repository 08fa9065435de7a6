//! The tasks of a trace, by their pids in the recorder's PID namespace.

use std::collections::{BTreeMap, HashMap, HashSet};

use nix::unistd::Pid;

use super::calls::Call;
use crate::look::Fields;
use trace::{Event, Kind, NamespaceId, Place};

/// What the recorder knows of one task.
#[derive(Default)]
pub(super) struct Task {
    /// Its number in the trace.
    pub(super) number: u32,
    /// The number of its process's first task.
    pub(super) process: u32,
    /// The recorded call that it is in.
    pub(super) call: Option<Call>,
    /// It has a file open that the trace follows, so it stops at every call until it has closed it.
    pub(super) writes: bool,
    /// In each PID namespace from the sandbox's inwards.
    pub(super) pids: Vec<i32>,
    pub(super) namespaces: BTreeMap<Kind, NamespaceId>,
    /// `pid_for_children` and `time_for_children`, as they were seen last.
    pub(super) children: BTreeMap<Kind, NamespaceId>,
    pub(super) capabilities: Option<u64>,
    pub(super) root: Option<Place>,
    /// Its working directory.
    pub(super) directory: Option<Place>,
    pub(super) cgroup: Option<String>,
    /// The tasks that it waits for, as they were seen last.
    pub(super) waits_for: Vec<u32>,
    /// An exec that found no file. A search of PATH tries one folder after the other, and only its
    /// last failure matters.
    pub(super) search: Option<Event>,
    pub(super) ended: bool,
}

#[derive(Default)]
pub(super) struct Tasks {
    all: HashMap<Pid, Task>,
    /// How many have had a number.
    count: u32,
    /// New tasks that have stopped before their parent's event. They wait for it.
    pub(super) early: HashSet<Pid>,
    /// Processes that have ended, perhaps without having been reaped.
    zombies: Vec<Zombie>,
}

/// A process that has ended, by its pid while its parent has not reaped it.
struct Zombie {
    pid: Pid,
    number: u32,
    pid_namespace: NamespaceId,
}

impl Tasks {
    /// Gives a new task its number: the first task of a process, or one of the process of that
    /// number.
    pub(super) fn add(&mut self, pid: Pid, process: Option<u32>) -> &mut Task {
        self.count += 1;
        let number = self.count;
        let task = Task { number, process: process.unwrap_or(number), ..Task::default() };
        self.all.entry(pid).insert_entry(task).into_mut()
    }

    pub(super) fn get(&self, pid: Pid) -> Option<&Task> {
        self.all.get(&pid)
    }

    pub(super) fn get_mut(&mut self, pid: Pid) -> Option<&mut Task> {
        self.all.get_mut(&pid)
    }

    pub(super) fn remove(&mut self, pid: Pid) -> Option<Task> {
        self.all.remove(&pid)
    }

    /// Removes a task that has ended. If it is a process, it may be a zombie from now on.
    pub(super) fn bury(&mut self, pid: Pid) {
        let Some(task) = self.remove(pid).filter(|task| task.process == task.number) else {
            return;
        };
        let namespace = task.namespaces.get(&Kind::Pid).copied();
        self.zombies.extend(namespace.map(|pid_namespace| Zombie {
            pid,
            number: task.number,
            pid_namespace,
        }));
    }

    /// The numbers of the processes in this PID namespace that have ended and have not been reaped.
    pub(super) fn zombies(&mut self, namespace: NamespaceId) -> Vec<u32> {
        let is_left = |zombie: &Zombie| {
            let status = Fields::status(zombie.pid);
            status.is_some_and(|status| status.get("State").is_some_and(|it| it.starts_with('Z')))
        };
        self.zombies.retain(is_left);
        let here = self.zombies.iter().filter(|zombie| zombie.pid_namespace == namespace);
        here.map(|zombie| zombie.number).collect()
    }

    /// Whether it is a further thread of its process.
    pub(super) fn is_thread(&self, pid: Pid) -> bool {
        self.get(pid).is_some_and(|task| task.process != task.number)
    }

    /// Those that have not ended, in order of birth.
    pub(super) fn alive(&self) -> Vec<(Pid, &Task)> {
        self.those(|task| !task.ended)
    }

    /// Those that are in the middle of their end, in order of birth.
    pub(super) fn ending(&self) -> Vec<(Pid, &Task)> {
        self.those(|task| task.ended)
    }

    fn those(&self, are: impl Fn(&Task) -> bool) -> Vec<(Pid, &Task)> {
        let mut those: Vec<_> =
            self.all.iter().filter(|(_, task)| are(task)).map(|(pid, task)| (*pid, task)).collect();
        those.sort_by_key(|(_, task)| task.number);
        those
    }

    /// The task of a path `/proc/PID/…` that `reader` opened. The number is one of the PID namespace
    /// of that `/proc`: most likely the reader's own.
    pub(super) fn of_path(&self, reader: Pid, path: &str) -> Option<&Task> {
        let number = path.strip_prefix("/proc/")?.split('/').next()?.parse::<i32>().ok()?;
        let level = self.get(reader)?.pids.len().checked_sub(1)?;
        let alive = self.alive();
        let has_it = |(_, task): &&(Pid, &Task)| task.pids.get(level) == Some(&number);
        let somewhere = |(_, task): &&(Pid, &Task)| task.pids.contains(&number);
        let found = alive.iter().find(has_it).or_else(|| alive.iter().find(somewhere));
        found.map(|(_, task)| *task)
    }
}
