//! Events in words.

use super::event::{Change, Event, Link, Mount, Outcome};
use super::kind::Kind;
use super::namespace::NamespaceId;
use super::world::World;

impl Event {
    /// The call and what it returned, such as `unshare(CLONE_NEWUTS) = EPERM`.
    pub fn line(&self) -> String {
        match &self.outcome {
            Outcome::Value(value) => format!("{} = {value}", self.text),
            Outcome::Error { errno, .. } => format!("{} = {errno:?}", self.text),
            Outcome::Never => self.text.clone(),
        }
    }

    /// A sentence for each change, and one for the reason of a failure. `before` is the world before
    /// the event.
    pub fn sentences(&self, before: &World) -> Vec<String> {
        let new_mount_namespace = self.changes.iter().find_map(|change| match change {
            Change::Namespace { id, .. } if id.kind == Kind::Mnt => Some(*id),
            _ => None,
        });
        let mut mounts_of_a_copy = 0;
        let mut sentences = Vec::new();
        for change in &self.changes {
            match change {
                Change::Mount { namespace, .. } if Some(*namespace) == new_mount_namespace => {
                    mounts_of_a_copy += 1;
                }
                Change::Mount { namespace, mount } => {
                    let known = before.namespace(*namespace);
                    let old = known.and_then(|known| known.mounts.get(&mount.id));
                    sentences.push(mounted(*namespace, old, mount));
                }
                Change::Unmount { namespace, id } => {
                    let known = before.namespace(*namespace);
                    if let Some(old) = known.and_then(|known| known.mounts.get(id)) {
                        sentences
                            .push(format!("{namespace}: {} on {} is gone", old.kind, old.point));
                    }
                }
                // The call shows it, or the namespace is new and a copy.
                Change::Program { .. } => {}
                Change::HostName { .. } if self.call != "sethostname" => {}
                // The world that the program finds.
                Change::Root { path, .. } if before.tasks.is_empty() && path == "/" => {}
                Change::Directory { .. } if before.tasks.is_empty() => {}
                Change::Cgroup { .. } if before.tasks.is_empty() => {}
                Change::Ended { .. } if self.outcome == Outcome::Never => {}
                other => sentences.push(sentence(other, before)),
            }
        }
        if let (Some(name), 1..) = (new_mount_namespace, mounts_of_a_copy) {
            sentences.push(format!("{name} starts as a copy, with {mounts_of_a_copy} mounts"));
        }
        if self.call == "unshare" && self.outcome == Outcome::Value(0) {
            // The recorder cannot see the namespace before there is a process in it.
            let next = "the next child will be PID 1 of a new PID namespace; the caller stays";
            sentences.extend(self.has_flag(Kind::Pid.flag_name()).then(|| next.to_owned()));
        }
        if let Outcome::Error { errno, why: Some(why) } = &self.outcome {
            sentences.push(format!("{errno:?}: {why}"));
        }
        sentences
    }
}

fn sentence(change: &Change, before: &World) -> String {
    let label = |task: &u32| match before.tasks.get(task) {
        Some(task) => task.label(),
        None => format!("task {task}"),
    };
    match change {
        Change::Namespace { id, owner, parent } => {
            let relation = match (id.kind, owner, parent) {
                (Kind::User, _, Some(parent)) => format!(", a child of {parent}"),
                (_, Some(owner), _) => format!(", owned by {owner}"),
                _ => String::new(),
            };
            format!("new: {id}{relation}")
        }
        Change::Task { task, process, pids, namespaces, parent, .. } => {
            let what = if task == process { "process" } else { "thread" };
            let maker = parent.and_then(|parent| before.tasks.get(&parent));
            let elsewhere = namespaces.iter().filter(|id| {
                maker.is_some_and(|maker| maker.namespaces.get(&id.kind) != Some(*id))
            });
            let elsewhere: Vec<String> = elsewhere.map(NamespaceId::to_string).collect();
            let pids = pids.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
            let place = if namespaces.is_empty() {
                ", in namespaces that the kernel does not show".to_owned()
            } else if elsewhere.is_empty() {
                String::new()
            } else {
                format!(", in {}", list(&elsewhere))
            };
            format!("a {what} is born: [{pids}]{place}")
        }
        Change::Joined { task, namespace } => {
            let from = before.tasks.get(task).and_then(|task| task.namespaces.get(&namespace.kind));
            match from {
                Some(from) => format!("{} leaves {from} for {namespace}", label(task)),
                None => format!("{} is in {namespace}", label(task)),
            }
        }
        Change::Children { task, namespace } => {
            format!("{} stays where it is; its next children will be in {namespace}", label(task))
        }
        Change::Capabilities { task, effective } => {
            let had = before.tasks.get(task).and_then(|task| task.capabilities);
            match (had, effective) {
                (_, 0) => format!("{} has no capabilities", label(task)),
                (Some(0) | None, effective) => {
                    format!("{} has {} capabilities", label(task), effective.count_ones())
                }
                (Some(had), effective) => format!(
                    "{} has {} capabilities (it had {})",
                    label(task),
                    effective.count_ones(),
                    had.count_ones()
                ),
            }
        }
        Change::Program { task, name } => format!("{} executes {name}", label(task)),
        Change::Ended { task, how } => format!("{}: {how}", label(task)),
        Change::Setting { namespace, file, text } => {
            format!("{file} of {namespace}: {}", text.replace('\n', ", "))
        }
        Change::Root { task, path, .. } => format!("the root of {} is {path}", label(task)),
        Change::Directory { task, path, .. } => {
            format!("the working directory of {} is {path}", label(task))
        }
        Change::HostName { namespace, name } => format!("the host name in {namespace} is {name:?}"),
        Change::Cgroup { task, path } => format!("{} is in the cgroup {path}", label(task)),
        Change::Socket { task, descriptor, namespace } => {
            format!("descriptor {descriptor} of {} is a socket of {namespace}", label(task))
        }
        Change::Waits { task, on } if on.is_empty() => format!("{} goes on", label(task)),
        Change::Waits { task, on } => {
            let on: Vec<String> = on.iter().map(label).collect();
            format!("{} waits until {} has been reaped", label(task), list(&on))
        }
        Change::Links { namespace, links } => {
            let links: Vec<String> = links.iter().map(link).collect();
            format!("links in {namespace}: {}", links.join("; "))
        }
        Change::Mount { namespace, mount } => mounted(*namespace, None, mount),
        Change::Unmount { namespace, id } => format!("{namespace}: mount {id} is gone"),
    }
}

fn mounted(namespace: NamespaceId, old: Option<&Mount>, mount: &Mount) -> String {
    let Mount { kind, point, .. } = mount;
    let tags = if mount.propagation.is_empty() { "private" } else { &mount.propagation };
    match old {
        Some(old) if old.propagation != mount.propagation => {
            format!("{namespace}: {kind} on {point} is {tags} now")
        }
        Some(old) if old.read_only != mount.read_only => {
            let how = if mount.read_only { "read-only" } else { "writable" };
            format!("{namespace}: {kind} on {point} is {how} now")
        }
        Some(_) => format!("{namespace}: {kind} is on {point} now"),
        None => {
            let how = if mount.read_only { ", read-only" } else { "" };
            let tags = if tags == "private" { String::new() } else { format!(", {tags}") };
            format!("{namespace}: {kind} on {point}{how}{tags}")
        }
    }
}

fn link(link: &Link) -> String {
    let Link { name, up, addresses, peer, bridge } = link;
    let state = if *up { "up" } else { "down" };
    let addresses: String = addresses.iter().map(|address| format!(" {address}")).collect();
    let peer = match peer {
        Some((Some(namespace), peer)) => format!(", peer {peer} in {namespace}"),
        Some((None, peer)) => format!(", peer {peer}"),
        None => String::new(),
    };
    let bridge = bridge.as_ref().map(|bridge| format!(", port of {bridge}")).unwrap_or_default();
    format!("{name} {state}{addresses}{peer}{bridge}")
}

fn list(items: &[String]) -> String {
    match items {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Argument;
    use nix::errno::Errno;

    fn id(text: &str) -> NamespaceId {
        NamespaceId::parse(text).unwrap()
    }

    fn new(name: &str, owner: Option<&str>) -> Change {
        Change::Namespace { id: id(name), owner: owner.map(id), parent: None }
    }

    fn world() -> World {
        let task = Change::Task {
            task: 1,
            process: 1,
            parent: None,
            pids: vec![2],
            namespaces: vec![id("uts A")],
        };
        let program = Change::Program { task: 1, name: "prog".into() };
        let changes = vec![new("uts A", None), task, program];
        World::after(&[event(Outcome::Never, changes)])
    }

    fn event(outcome: Outcome, changes: Vec<Change>) -> Event {
        let flags = Argument::Flags(vec!["CLONE_NEWUTS".into()]);
        Event::new(1, "unshare", vec![flags], outcome, changes)
    }

    #[test]
    fn a_step_says_what_it_changed() {
        let joined = Change::Joined { task: 1, namespace: id("uts B") };
        let changes = vec![new("uts B", Some("user A")), joined];
        let event = event(Outcome::Value(0), changes);
        assert_eq!(event.line(), "unshare(CLONE_NEWUTS) = 0");
        assert_eq!(
            event.sentences(&world()),
            ["new: uts B, owned by user A", "prog [2] leaves uts A for uts B"]
        );
    }

    #[test]
    fn a_failure_says_why() {
        let why = Some("no CAP_SYS_ADMIN".to_owned());
        let event = event(Outcome::Error { errno: Errno::EPERM, why }, Vec::new());
        assert_eq!(event.line(), "unshare(CLONE_NEWUTS) = EPERM");
        assert_eq!(event.sentences(&world()), ["EPERM: no CAP_SYS_ADMIN"]);
    }

    #[test]
    fn a_copied_mount_namespace_takes_one_sentence() {
        let mount = |id| Mount {
            id,
            parent: None,
            kind: "tmpfs".into(),
            root: "/".into(),
            point: "/tmp".into(),
            read_only: false,
            propagation: String::new(),
        };
        let copied = |number| Change::Mount { namespace: id("mnt B"), mount: mount(number) };
        let event = event(Outcome::Value(0), vec![new("mnt B", None), copied(1), copied(2)]);
        assert_eq!(
            event.sentences(&world()),
            ["new: mnt B", "mnt B starts as a copy, with 2 mounts"]
        );
    }
}
