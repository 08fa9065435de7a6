//! What only the history of a run shows: how COMMAND was made, and what happened in the lab meanwhile.

use lab::look::Kind;
use lab::sandbox::NoTrace;
use trace::{Change, Event, NamespaceId, Outcome, Trace, World};

use super::{Attempt, Seen};

/// The process whose history is asked for.
pub(super) struct Followed {
    /// Its pid inside.
    pid: i32,
    /// The kinds in which it is not in the lab's namespaces.
    own: Vec<Kind>,
}

/// A process that is made, at this position in a trace.
struct Birth {
    at: usize,
    child: u32,
    parent: u32,
}

/// Keys of the report, and the values if all is well.
const BIRTH: (&str, &str) = ("birth of COMMAND", "in namespaces of its own");
const PIDFD: (&str, &str) = ("origin of the pidfd", "the call that made COMMAND");
const SENT: (&str, &str) = ("sent to COMMAND", "a signal through a pidfd");
const MEANWHILE: (&str, &str) = ("lab meanwhile", "unchanged");
const PROGRAM: (&str, &str) = ("your program", "never moved");

impl Attempt {
    /// Enters, at the end of a recorded run: whether COMMAND was born in the namespaces that are its own,
    /// whether the call that made it has made a pidfd, whether it was sent a signal through one, what has
    /// changed in the lab until then, and whether the program itself has moved.
    pub fn history_of(&mut self, command: &Seen) {
        let own = command.namespaces.apart_from(self.run.lab());
        self.followed = command.process.own_pid().map(|pid| Followed { pid, own });
    }

    /// If the machine forbids the recording, that is said, and nothing else can be.
    pub(super) fn enter_history(&mut self, trace: &Result<Trace, NoTrace>) {
        let Some(followed) = self.followed.take() else { return };
        let seen = trace.as_ref().ok().filter(|trace| trace.is_whole()).and_then(|trace| {
            let birth = birth(trace, followed.pid)?;
            let birthplace = birthplace(trace, &birth, &followed.own);
            let pidfd = pidfd(trace, &birth);
            Some([birthplace, pidfd, sent(trace), meanwhile(trace), moves(trace)])
        });
        for (which, (key, right)) in
            [BIRTH, PIDFD, SENT, MEANWHILE, PROGRAM].into_iter().enumerate()
        {
            match (&seen, trace) {
                (Some(values), _) => self.report.line(key, &values[which]),
                (None, Err(why @ NoTrace::Refused(_))) => {
                    self.report.line(key, right);
                    self.report.skip(key, &format!("the run could not be recorded ({why})"));
                }
                (None, _) => self.report.line(key, "could not be followed"),
            }
        }
    }
}

/// The last process that was given this pid.
fn birth(trace: &Trace, pid: i32) -> Option<Birth> {
    let born = |(at, event): (usize, &Event)| {
        event.changes.iter().find_map(|change| match change {
            Change::Task { task: child, parent, pids, .. } if pids.last() == Some(&pid) => {
                Some(Birth { at, child: *child, parent: parent.unwrap_or(*child) })
            }
            _ => None,
        })
    };
    trace.events.iter().enumerate().rev().find_map(born)
}

/// Whether a new process was apart from its parent in these kinds at once.
fn birthplace(trace: &Trace, birth: &Birth, own: &[Kind]) -> String {
    let world = World::after(&trace.events[..=birth.at]);
    let place = |task, kind| world.tasks.get(&task)?.namespaces.get(&kind).copied();
    let shared =
        own.iter().filter(|kind| place(birth.child, **kind) == place(birth.parent, **kind));
    let shared: Vec<_> = shared.map(|kind| kind.name()).collect();
    if shared.is_empty() { BIRTH.1.into() } else { format!("in its parent's {}", shared.join(" ")) }
}

fn pidfd(trace: &Trace, birth: &Birth) -> String {
    let with_it = trace.events[birth.at].has_flag("CLONE_PIDFD");
    if with_it { PIDFD.1.into() } else { "another call".into() }
}

/// Whether a process of the program has sent a signal through a pidfd.
fn sent(trace: &Trace) -> String {
    let is_sent = |event: &Event| {
        event.call == "pidfd_send_signal" && matches!(event.outcome, Outcome::Value(_))
    };
    if trace.events.iter().any(is_sent) {
        SENT.1.into()
    } else {
        "no signal through a pidfd".into()
    }
}

/// Where the first thread of the program has moved.
fn moves(trace: &Trace) -> String {
    let changes = trace.events.iter().skip(1).flat_map(|event| &event.changes);
    let moved = changes.filter_map(|change| match change {
        Change::Joined { task: 1, namespace } => Some(format!("was in {namespace}")),
        _ => None,
    });
    let moved: Vec<_> = moved.collect();
    if moved.is_empty() { PROGRAM.1.into() } else { moved.join(", ") }
}

/// What happened in the lab's own namespaces. The first event is what the program found.
fn meanwhile(trace: &Trace) -> String {
    let [uts, mnt] = [Kind::Uts, Kind::Mnt].map(|kind| NamespaceId { kind, index: 1 });
    let changes = trace.events.iter().skip(1).flat_map(|event| &event.changes);
    let changes = changes.filter_map(|change| match change {
        Change::HostName { namespace, name } if *namespace == uts => {
            Some(format!("the host name was {name}"))
        }
        Change::Mount { namespace, mount } if *namespace == mnt => {
            Some(format!("{} on {} was mounted or changed", mount.kind, mount.point))
        }
        Change::Unmount { namespace, .. } if *namespace == mnt => Some("a mount went".into()),
        _ => None,
    });
    few(changes.collect())
}

/// One change of propagation can concern every mount that there is, and the first few tell which it was.
fn few(mut changes: Vec<String>) -> String {
    const NAMED: usize = 3;
    let more = changes.len().saturating_sub(NAMED);
    if changes.is_empty() {
        return MEANWHILE.1.into();
    }
    if more > 1 {
        changes.truncate(NAMED);
        changes.push(format!("and {more} more changes"));
    }
    changes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace::Argument;

    fn uts(index: u32) -> NamespaceId {
        NamespaceId { kind: Kind::Uts, index }
    }

    fn trace(flag: &str, born_in: u32, renamed: u32) -> Trace {
        let task = |task, parent, index| Change::Task {
            task,
            process: task,
            parent,
            pids: vec![task as i32 + 6],
            namespaces: vec![uts(index)],
        };
        let event = |call: &str, flag: &str, change| {
            let flags = vec![Argument::Flags(vec![flag.to_owned()])];
            Event::new(1, call, flags, Outcome::Value(0), vec![change])
        };
        let name = Change::HostName { namespace: uts(renamed), name: "otter".into() };
        let events = vec![
            event("start", "", task(1, None, 1)),
            event("clone3", flag, task(2, Some(1), born_in)),
            event("sethostname", "", name),
        ];
        Trace { events, complete: true, ..Trace::default() }
    }

    #[test]
    fn a_child_is_born_in_namespaces_of_its_own_or_moves_there() {
        let born = trace("CLONE_PIDFD", 2, 2);
        let seen = birth(&born, 8).unwrap();
        assert_eq!((seen.at, seen.child, seen.parent), (1, 2, 1));
        assert_eq!(birthplace(&born, &seen, &[Kind::Uts]), BIRTH.1);
        assert_eq!(
            (pidfd(&born, &seen).as_str(), meanwhile(&born).as_str()),
            (PIDFD.1, MEANWHILE.1)
        );
        let moved = trace("SIGCHLD", 1, 1);
        let seen = birth(&moved, 8).unwrap();
        assert_eq!(birthplace(&moved, &seen, &[Kind::Uts]), "in its parent's uts");
        assert_eq!(pidfd(&moved, &seen), "another call");
        assert_eq!(meanwhile(&moved), "the host name was otter");
        assert!(birth(&moved, 9).is_none());
        assert_eq!(sent(&moved), "no signal through a pidfd");
        let mut signaled = moved;
        let call = "pidfd_send_signal";
        signaled.events.push(Event::new(1, call, vec![], Outcome::Value(0), vec![]));
        assert_eq!(sent(&signaled), SENT.1);
    }

    #[test]
    fn of_many_changes_a_few_are_named() {
        let changes = |many: usize| (0..many).map(|at| at.to_string()).collect();
        assert_eq!(few(changes(0)), MEANWHILE.1);
        assert_eq!(few(changes(4)), "0, 1, 2, 3");
        assert_eq!(few(changes(5)), "0, 1, 2, and 2 more changes");
    }
}
