//! A form of a trace that is the same on every machine.

use std::collections::{HashMap, HashSet};

use super::event::{Change, Event, Mount, Trace};

/// File systems without a disk: they have the same type on every machine.
const EVERYWHERE: [&str; 9] =
    ["tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup2", "overlay", "nsfs", "ramfs"];

impl Trace {
    /// Removes what differs from machine to machine and is not the program's work: the folders of the
    /// machine that a sandbox shows, and their types of file system. The remaining mounts are numbered
    /// anew. This is the form in which the book keeps traces.
    pub fn portable(mut self) -> Trace {
        let of_the_machine: HashSet<String> = self
            .events
            .first()
            .into_iter()
            .flat_map(|event| &event.changes)
            .filter_map(|change| match change {
                Change::Mount { mount, .. } if !is_everywhere(mount) => Some(mount.point.clone()),
                _ => None,
            })
            .collect();
        let mut numbers = HashMap::new();
        for event in &mut self.events {
            event.keep(&of_the_machine, &mut numbers);
        }
        self
    }
}

impl Event {
    fn keep(&mut self, of_the_machine: &HashSet<String>, numbers: &mut HashMap<u32, u32>) {
        self.changes.retain_mut(|change| match change {
            Change::Mount { mount, .. } => {
                if !is_everywhere(mount) {
                    if of_the_machine.contains(&mount.point) {
                        return false;
                    }
                    mount.kind = "disk".to_owned();
                }
                let next = numbers.len() as u32 + 1;
                mount.id = *numbers.entry(mount.id).or_insert(next);
                mount.parent = mount.parent.and_then(|parent| numbers.get(&parent).copied());
                true
            }
            Change::Unmount { id, .. } => match numbers.get(id) {
                Some(number) => {
                    *id = *number;
                    true
                }
                None => false,
            },
            Change::Root { mount, .. } | Change::Directory { mount, .. } => {
                *mount = mount.and_then(|mount| numbers.get(&mount).copied());
                true
            }
            _ => true,
        });
    }
}

/// A device that is bind-mounted from the machine's `/dev` shows a part of a file system, such as
/// `/null`.
fn is_everywhere(mount: &Mount) -> bool {
    EVERYWHERE.contains(&mount.kind.as_str())
        && (mount.root == "/" || ["nsfs", "tmpfs", "cgroup2"].contains(&mount.kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, NamespaceId, Outcome};

    const MNT_A: NamespaceId = NamespaceId { kind: Kind::Mnt, index: 1 };

    fn event(changes: Vec<Change>) -> Event {
        Event::new(1, "mount", Vec::new(), Outcome::Value(0), changes)
    }

    fn mount(id: u32, kind: &str, point: &str) -> Change {
        let mount = Mount {
            id,
            parent: (id > 1).then_some(1),
            kind: kind.into(),
            root: "/".into(),
            point: point.into(),
            read_only: true,
            propagation: String::new(),
        };
        Change::Mount { namespace: MNT_A, mount }
    }

    #[test]
    fn what_the_machine_brought_is_left_out_and_what_the_program_did_stays() {
        let start =
            vec![mount(1, "tmpfs", "/"), mount(2, "ext4", "/usr"), mount(3, "proc", "/proc")];
        let copy = vec![mount(4, "btrfs", "/usr"), mount(5, "btrfs", "/new/usr")];
        let gone = |id| Change::Unmount { namespace: MNT_A, id };
        let events = vec![event(start), event(copy), event(vec![gone(2), gone(5)])];
        let trace = Trace { events, ..Trace::default() }.portable();
        assert_eq!(trace.events[0].changes, [mount(1, "tmpfs", "/"), mount(2, "proc", "/proc")]);
        assert_eq!(trace.events[1].changes, [mount(3, "disk", "/new/usr")]);
        assert_eq!(trace.events[2].changes, [gone(3)]);
    }
}
