//! A lab as it is now, and as it was before, as a trace of two events: so that it can be drawn.
//!
//! It is looked at from outside a few times a second, which works without ptrace(2) and slows nothing down.
//! What comes and goes between two looks is not seen.

use std::collections::BTreeMap;
use std::io;

use trace::{Change, Event, Exit, NamespaceId, Outcome, Trace, World};

use crate::look::{Kind, Namespace, Namespaces, Process};
use crate::sandbox::{Inhabitants, Run};
use crate::visit;

/// At most so many processes are drawn.
const MOST: usize = 24;

/// Looks at one lab.
pub struct Sketcher {
    inhabitants: Inhabitants,
    shell: Process,
    /// How many of a process's pids are those outside of the lab.
    outside: usize,
    /// Each namespace that was seen, held open: while it is, no other one has its number.
    namespaces: Vec<(NamespaceId, Namespace)>,
    /// The number of each process, by its pid here and the moment of its start.
    tasks: BTreeMap<(i32, u64), u32>,
    now: Snapshot,
}

/// What was seen at one moment.
#[derive(Clone, Default, PartialEq)]
struct Snapshot {
    namespaces: BTreeMap<NamespaceId, Place>,
    tasks: BTreeMap<u32, Task>,
}

#[derive(Clone, PartialEq)]
struct Place {
    owner: Option<NamespaceId>,
    parent: Option<NamespaceId>,
    host_name: Option<String>,
}

#[derive(Clone, PartialEq)]
struct Task {
    parent: Option<u32>,
    program: String,
    pids: Vec<i32>,
    namespaces: Vec<NamespaceId>,
}

impl Sketcher {
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn of(run: &Run) -> io::Result<Sketcher> {
        let shell = run.program().try_clone()?;
        let outside = shell.pids().len().saturating_sub(1);
        let mut sketcher = Sketcher {
            inhabitants: run.inhabitants()?,
            shell,
            outside,
            namespaces: Vec::new(),
            tasks: BTreeMap::new(),
            now: Snapshot::default(),
        };
        // The lab's own come first: they are the ones called A.
        sketcher.letters(run.lab());
        Ok(sketcher)
    }

    /// Whether the lab's shell has ended.
    pub fn is_over(&self) -> bool {
        self.shell.has_ended()
    }

    /// The lab before its last change and after it; `None` if nothing has changed since the last look.
    pub fn look(&mut self) -> Option<Trace> {
        let now = self.snapshot();
        if now == self.now || now.tasks.is_empty() {
            return None;
        }
        let before = std::mem::replace(&mut self.now, now);
        let event =
            |call: &str, changes| Event::new(1, call, Vec::new(), Outcome::Value(0), changes);
        let mut events = vec![event("start", changes(&Snapshot::default(), &self.now))];
        if !before.tasks.is_empty() {
            events[0] = event("start", changes(&Snapshot::default(), &before));
            events.push(event("now", changes(&before, &self.now)));
        }
        Some(Trace { program: vec!["lab".to_owned()], events, complete: true, ..Trace::default() })
    }

    fn snapshot(&mut self) -> Snapshot {
        let mut processes = self.inhabitants.processes();
        processes.truncate(MOST);
        let (mut snapshot, mut seen) = (Snapshot::default(), Vec::new());
        for process in processes {
            let Ok(namespaces) = Namespaces::of(&process) else { continue };
            let Some(started) = process.started() else { continue };
            let key = (process.pid().as_raw(), started);
            let next = self.tasks.len() as u32 + 1;
            let number = *self.tasks.entry(key).or_insert(next);
            seen.push((number, process, self.letters(&namespaces)));
        }
        let number_of = |pid: i32| seen.iter().find(|(_, other, _)| other.pid().as_raw() == pid);
        for (number, process, namespaces) in &seen {
            let parent = process.parent().and_then(|parent| number_of(parent.as_raw()));
            let task = Task {
                parent: parent.map(|(number, ..)| *number),
                program: process.name().unwrap_or_default(),
                pids: process.pids().into_iter().skip(self.outside).collect(),
                namespaces: namespaces.clone(),
            };
            snapshot.tasks.insert(*number, task);
        }
        for (.., namespaces) in &seen {
            for id in namespaces {
                if !snapshot.namespaces.contains_key(id) {
                    self.place(*id, &mut snapshot);
                }
            }
        }
        snapshot
    }

    /// Enters a namespace, and those that it hangs from before it.
    fn place(&self, id: NamespaceId, snapshot: &mut Snapshot) {
        let Some((_, namespace)) = self.namespaces.iter().find(|(known, _)| *known == id) else {
            return;
        };
        let known = |other: Namespace| {
            let found =
                self.namespaces.iter().find(|(known, of)| known.kind == Kind::User && *of == other);
            found.map(|(id, _)| *id)
        };
        let owner =
            if id.kind == Kind::User { None } else { namespace.owner().ok().and_then(known) };
        let parent =
            if id.kind == Kind::User { namespace.parent().ok().and_then(known) } else { None };
        let host_name = if id.kind == Kind::Uts { visit::host_name(namespace).ok() } else { None };
        snapshot.namespaces.insert(id, Place { owner, parent, host_name });
    }

    /// The names of a process's namespaces. A new one gets the next letter of its kind.
    fn letters(&mut self, namespaces: &Namespaces) -> Vec<NamespaceId> {
        let mut letters = Vec::new();
        for kind in Kind::ALL {
            let Some(namespace) = namespaces.get(kind) else { continue };
            let of_kind = self.namespaces.iter().filter(|(id, _)| id.kind == kind);
            let found = of_kind.clone().find(|(_, known)| known == namespace).map(|(id, _)| *id);
            let index = of_kind.count() as u32 + 1;
            let id = found.unwrap_or(NamespaceId { kind, index });
            if found.is_none() {
                let Ok(held) = namespace.try_clone() else { continue };
                self.namespaces.push((id, held));
            }
            letters.push(id);
        }
        letters
    }
}

/// What became different.
fn changes(before: &Snapshot, now: &Snapshot) -> Vec<Change> {
    let mut changes = Vec::new();
    for (id, place) in &now.namespaces {
        let known = before.namespaces.get(id);
        if known.is_none() {
            changes.push(Change::Namespace { id: *id, owner: place.owner, parent: place.parent });
        }
        let name = place
            .host_name
            .clone()
            .filter(|_| known.is_none_or(|known| known.host_name != place.host_name));
        changes.extend(name.map(|name| Change::HostName { namespace: *id, name }));
    }
    for (task, seen) in &now.tasks {
        let Task { parent, program, pids, namespaces } = seen.clone();
        let known = before.tasks.get(task);
        match known {
            None => {
                changes.push(Change::Task { task: *task, process: *task, parent, pids, namespaces })
            }
            Some(known) => {
                let joined = namespaces.into_iter().filter(|id| !known.namespaces.contains(id));
                changes.extend(joined.map(|namespace| Change::Joined { task: *task, namespace }));
            }
        }
        if known.is_none_or(|known| known.program != program) {
            changes.push(Change::Program { task: *task, name: program });
        }
    }
    let ended = before.tasks.keys().filter(|task| !now.tasks.contains_key(task));
    changes.extend(ended.map(|task| Change::Ended { task: *task, how: Exit::Unseen }));
    changes
}

/// The kinds to draw: those of which the lab has more than one namespace now, or all of them.
pub fn kinds(trace: &Trace) -> Vec<Kind> {
    let world = World::after(&trace.events);
    let many = |kind: &Kind| {
        let of_kind = world.namespaces.iter().filter(|namespace| namespace.id.kind == *kind);
        of_kind.filter(|namespace| world.members(namespace.id).next().is_some()).count() > 1
    };
    let several: Vec<Kind> = Kind::ALL.into_iter().filter(many).collect();
    if several.is_empty() { Kind::ALL.to_vec() } else { several }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_after_the_changes_is_what_was_seen() {
        let id = |kind, index| NamespaceId { kind, index };
        let place =
            |name: &str| Place { owner: None, parent: None, host_name: Some(name.to_owned()) };
        let task = |program: &str, namespace| Task {
            parent: None,
            program: program.to_owned(),
            pids: vec![2],
            namespaces: vec![namespace],
        };
        let [a, b] = [1, 2].map(|index| id(Kind::Uts, index));
        let mut before = Snapshot::default();
        before.namespaces.insert(a, place("lab"));
        before.tasks.insert(1, task("bash", a));
        before.tasks.insert(2, task("sleep", a));
        let mut now = before.clone();
        now.namespaces.insert(b, place("otter"));
        now.tasks.insert(1, task("sh", b));
        now.tasks.remove(&2);
        let event = |changes| Event::new(1, "now", Vec::new(), Outcome::Value(0), changes);
        let start = event(changes(&Snapshot::default(), &before));
        let world = World::after([&start, &event(changes(&before, &now))]);
        assert_eq!(world.namespace(b).unwrap().host_name.as_deref(), Some("otter"));
        assert_eq!(world.tasks[&1].program, "sh");
        assert_eq!(world.members(b).collect::<Vec<_>>(), [1]);
        assert_eq!(world.tasks[&2].ended, Some(Exit::Unseen), "its status was not seen");
        assert_eq!(changes(&now, &now), []);
    }
}
