//! What a trace proves: that a task made a call, and when, that none made it, that the program gave
//! up after one that failed.

use std::ops::Range;

use super::event::{Change, Event, Exit, Outcome, Trace};
use super::kind::Kind;
use super::namespace::NamespaceId;
use super::pointer::{Pointer, Side};

/// A condition on the calls of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// A [`glob`] for the call's text, or several, of which any will do.
    pub call: Vec<String>,
    pub by: Option<By>,
    /// `ok`, `failed`, or the name of an errno; any if it is `None`.
    pub result: Option<String>,
    /// A [`glob`] for a call that has to come later, or earlier.
    pub before: Option<String>,
    pub after: Option<String>,
    /// A [`glob`] for a call, of which the last is meant: it was made earlier by the same task.
    pub same: Option<String>,
    /// The same, but an ancestor of that task may have made it as well, before the child was born that leads
    /// to the task. Where a call moves its caller, that task is where the call has led.
    pub reaches: Option<String>,
    /// That there is no such call.
    pub none: bool,
}

/// Which task made a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The first thread of the program's first process.
    Program,
    /// Another thread of some process.
    Thread,
    /// The first thread of a process that the program has made.
    Child,
}

impl By {
    pub fn parse(word: &str) -> Option<By> {
        match word {
            "program" => Some(By::Program),
            "thread" => Some(By::Thread),
            "child" => Some(By::Child),
            _ => None,
        }
    }
}

/// What became of a call that a mistake takes for missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// No process made it.
    Never,
    /// It failed: the number of the event.
    Failed(usize),
    /// Another thread made it, or another process.
    Elsewhere(usize, By),
    /// It came on the other side of the call that it should be before or after.
    WrongSide(usize),
    /// It is where it should be.
    There,
}

impl Trace {
    /// Whether the recorder saw all of the run. Only then can a trace prove that something did not happen.
    pub fn is_whole(&self) -> bool {
        self.complete && self.dropped == 0
    }

    /// Whether the trace has such a call. That there is none is proven by a whole trace only.
    pub fn proves(&self, proof: &Proof) -> bool {
        let found = self.events.iter().enumerate().skip(1).any(|(at, event)| {
            let result = proof.result.as_deref().is_none_or(|wanted| has_result(event, wanted));
            let is_there = |pattern: &Option<String>, mut events: Range<usize>| {
                let Some(pattern) = pattern else { return true };
                events.any(|other| self.is_like(pattern, other))
            };
            let leads_to = |pattern: &Option<String>, leads: fn(&Trace, usize, usize) -> bool| {
                let Some(pattern) = pattern else { return true };
                self.find(pattern).is_some_and(|place| leads(self, at, place))
            };
            proof.call.iter().any(|pattern| self.is_like(pattern, at))
                && result
                && proof.by.is_none_or(|by| self.who(event.task) == by)
                && is_there(&proof.before, at + 1..self.events.len())
                && is_there(&proof.after, 1..at)
                && leads_to(&proof.same, Trace::is_same)
                && leads_to(&proof.reaches, Trace::reaches)
        });
        if proof.none { !found && self.is_whole() } else { found }
    }

    /// Whether the task of the call at `place` made the call at `at` before it. The flags of a call that makes a
    /// child are about the child.
    fn is_same(&self, at: usize, place: usize) -> bool {
        let [one, other] = [at, place].map(|at| &self.events[at]);
        one.task == other.task && at < place && !one.makes_a_child()
    }

    /// Whether the task of the call at `place` is where the call at `at` has led: it made that itself, or
    /// descends from a process that had made it by then.
    fn reaches(&self, at: usize, place: usize) -> bool {
        let [event, task] = [&self.events[at], &self.events[place]].map(|event| event.task);
        self.is_same(at, place)
            || self.ancestors(task).into_iter().any(|(ancestor, birth)| {
                ancestor == event
                    && birth < place
                    && (at == birth || at < birth && !self.events[at].makes_a_child())
            })
    }

    /// Whether the trace has the place that this points to: the call, or the gap where no process made one.
    pub fn supports(&self, pointer: &Pointer) -> bool {
        match pointer {
            Pointer::Call(patterns) => self.find_any(patterns).is_some(),
            Pointer::Missing { call, side, of } => {
                self.is_whole()
                    && self.find(of).is_some()
                    && self.made(call, *side, of) == Some(Made::Never)
            }
        }
    }

    /// What became of the call that would have to be before or after the last one that matches `of`. `None`
    /// where no call matches `of`.
    pub fn made(&self, call: &str, side: Side, of: &str) -> Option<Made> {
        let place = self.find(of)?;
        let task = self.events[place].task;
        let wanted = Wanted::read(call);
        let found: Vec<usize> =
            (1..self.events.len()).filter(|at| wanted.fits(&self.events[*at])).collect();
        let (failed, done): (Vec<usize>, Vec<usize>) = found
            .into_iter()
            .partition(|at| matches!(self.events[*at].outcome, Outcome::Error { .. }));
        let is_right = |at: usize| match side {
            Side::Before => at < place,
            Side::After => at > place,
        };
        let mut own = done.iter().copied().filter(|at| self.events[*at].task == task);
        // A process is in the namespaces in which the one that made it was at that moment.
        let ancestors = self.ancestors(task);
        let birth_below = |at: usize| {
            let task = self.events[at].task;
            ancestors.iter().find(|(ancestor, _)| *ancestor == task).map(|(_, birth)| *birth)
        };
        // The flags of a call that makes a child are about that child only.
        let moves = |at: usize, birth: usize| at < birth && !self.events[at].makes_a_child();
        let inherits = |at: usize| match side {
            Side::Before => birth_below(at).is_some_and(|birth| at == birth || moves(at, birth)),
            Side::After => birth_below(at).is_some() && is_right(at),
        };
        let is_too_late = |at: &usize| {
            let birth = birth_below(*at).filter(|_| side == Side::Before);
            birth.is_some_and(|birth| *at > birth && !self.events[*at].makes_a_child())
        };
        let late = done.iter().copied().find(is_too_late);
        Some(if own.clone().any(is_right) || done.iter().any(|at| inherits(*at)) {
            Made::There
        } else if let Some(at) = own.next().or(late) {
            Made::WrongSide(at)
        } else if done.iter().any(|at| self.is_for_command(*at)) {
            Made::There
        } else if let Some(at) = done.first() {
            Made::Elsewhere(*at, self.who(self.events[*at].task))
        } else if let Some(at) = failed.last() {
            Made::Failed(*at)
        } else {
            Made::Never
        })
    }

    /// The call after which the program gave up: it failed, its process made no other call that is
    /// followed, and ended with a status that says so. And no process has executed anything. The end of
    /// a thread is no call of its process. What SIGKILL ends has not given up: so ends what is still
    /// running when the run is over.
    pub fn gave_up(&self) -> Option<usize> {
        if !self.is_whole() || self.events.iter().skip(1).any(executes) {
            return None;
        }
        let at = self.events.iter().rposition(has_failed)?;
        // A step tries what happens without COMMAND.
        if self.events[at].call.starts_with("execve") {
            return None;
        }
        self.ended_after(at).map(|_| at)
    }

    /// How the process ended that has made this call, if it has made none after it that is followed, and
    /// its end says that something was wrong.
    pub fn ended_after(&self, at: usize) -> Option<Exit> {
        let process_of = |task: u32| self.born(task).map_or(task, |(process, _)| process);
        let process = process_of(self.events[at].task);
        let mut later = self.events[at + 1..].iter().filter(|event| {
            process_of(event.task) == process && !(event.task != process && is_end(event))
        });
        later.next()?.changes.iter().find_map(|change| match change {
            Change::Ended { task, how } if *task == process => Some(*how).filter(|how| {
                let fine = [Exit::Exited(0), Exit::Killed(libc::SIGKILL), Exit::Unseen];
                !fine.contains(how)
            }),
            _ => None,
        })
    }

    /// The last call that failed, if the program itself made it and ended after it, while a process that it
    /// had started went on.
    pub fn ended_alone(&self) -> Option<usize> {
        let at = self
            .events
            .iter()
            .enumerate()
            .rposition(|(at, event)| has_failed(event) && !self.is_by_command(at))?;
        (self.is_whole()
            && self.who(self.events[at].task) == By::Program
            && self.ended_after(at).is_some())
        .then_some(at)
    }

    /// The last execve(2) of a run in which none has succeeded.
    pub fn failed_exec(&self) -> Option<usize> {
        let is_exec = |event: &&Event| event.call.starts_with("execve");
        let mut later = self.events.iter().skip(1);
        if !self.is_whole() || later.any(|event| is_exec(&event) && !has_failed(event)) {
            return None;
        }
        let at = self.events.iter().rposition(has_failed)?;
        is_exec(&&self.events[at]).then_some(at)
    }

    /// The end of a program that has not started COMMAND, and that says by its status that something was
    /// wrong: the event, and the status.
    pub fn ended_early(&self) -> Option<(usize, i32)> {
        if !self.is_whole() || self.events.iter().any(Event::starts_command) {
            return None;
        }
        self.events.iter().enumerate().find_map(|(at, event)| {
            event.changes.iter().find_map(|change| match change {
                Change::Ended { task: 1, how: Exit::Exited(code) } if *code != 0 => {
                    Some((at, *code))
                }
                _ => None,
            })
        })
    }

    /// The call that failed and after which its process went on: it made another call that succeeded. Of
    /// several it is the first, because what fails later may fail because of it, and before all others an
    /// unshare(2) or a setns(2). A call that was made again and succeeded has not failed in the end, and a
    /// search for a program along `PATH` is none.
    pub fn went_on(&self) -> Option<usize> {
        let is_candidate = |at: &usize| {
            let event = &self.events[*at];
            has_failed(event)
                && !self.is_by_command(*at)
                && !event.call.starts_with("execve")
                && self.events[*at + 1..]
                    .iter()
                    .any(|later| later.task == event.task && !has_failed(later) && !is_end(later))
        };
        let moves = |event: &Event| ["unshare", "setns"].contains(&event.call.as_str());
        let object = |event: &Event| match event.call.as_str() {
            "mount" => event.arguments.get(1).cloned(),
            _ => event.arguments.first().cloned(),
        };
        let is_the_same = |one: &Event, two: &Event| {
            one.makes_a_child() && two.makes_a_child()
                || one.call == two.call && (moves(one) || object(one) == object(two))
        };
        let stayed = |at: &usize| {
            let event = &self.events[*at];
            let mut later = self.events[*at + 1..].iter();
            !later.any(|later| {
                later.task == event.task && is_the_same(event, later) && !has_failed(later)
            })
        };
        let all: Vec<usize> = (1..self.events.len()).filter(is_candidate).collect();
        let mut for_good = all.iter().copied().filter(stayed);
        let first_move = for_good.clone().find(|at| moves(&self.events[*at]));
        first_move.or_else(|| for_good.next()).or(all.last().copied())
    }

    /// The last program that was executed by a process without children of its own and that exited with
    /// another status than 0: the event of its execve(2), and the status.
    pub fn failed_tool(&self) -> Option<(usize, i32)> {
        let ended = |task: u32| {
            self.events.iter().flat_map(|event| &event.changes).find_map(|change| match change {
                Change::Ended { task: ended, how: Exit::Exited(code) } if *ended == task => {
                    Some(*code)
                }
                _ => None,
            })
        };
        let makes_a_child = |at: usize| {
            let task = self.events[at].task;
            let later = self.events[at..].iter().flat_map(|event| &event.changes);
            later.into_iter().any(|change| {
                matches!(change, Change::Task { parent: Some(parent), .. } if *parent == task)
            })
        };
        (1..self.events.len()).rev().find_map(|at| {
            let event = &self.events[at];
            let is_tool = executes(event);
            let code = ended(event.task).filter(|code| *code != 0)?;
            (is_tool && !makes_a_child(at)).then_some((at, code))
        })
    }

    /// A process of the program that a signal ended before it executed anything: its number, the event,
    /// and the signal. A descendant of one that has executed something belongs to that. What SIGKILL ends
    /// when nothing goes on has most likely been ended with the whole run.
    pub fn killed_before_exec(&self) -> Option<(u32, usize, i32)> {
        let executed = |task: u32| self.executed_by(task).next().is_some();
        let is_last = |at: usize| self.events[at + 1..].iter().all(is_end);
        self.events.iter().enumerate().skip(1).find_map(|(at, event)| {
            event.changes.iter().find_map(|change| match change {
                Change::Ended { task, how: Exit::Killed(signal) }
                    if *task != 1
                        && !(*signal == libc::SIGKILL && is_last(at))
                        && self.who(*task) == By::Child
                        && !executed(*task)
                        && !self.ancestors(*task).into_iter().any(|(task, _)| executed(task)) =>
                {
                    Some((*task, at, *signal))
                }
                _ => None,
            })
        })
    }

    /// The setns(2) by which the process that becomes COMMAND has returned to the namespace of this kind in
    /// which the program was started, or an ancestor that had left it.
    pub fn went_back(&self, kind: Kind) -> Option<usize> {
        let started = self.events.iter().position(Event::starts_command)?;
        let of_kind = |namespaces: &[NamespaceId]| {
            namespaces.iter().copied().find(|namespace| namespace.kind == kind)
        };
        let first = self.events.first()?.changes.iter().find_map(|change| match change {
            Change::Task { task: 1, namespaces, .. } => of_kind(namespaces),
            _ => None,
        })?;
        let flag = kind.flag_name();
        // Where COMMAND's process, or its ancestor, has been since, in order.
        let mut away = false;
        let mut back = None;
        for (at, event) in self.events.iter().enumerate().take(started).skip(1) {
            if has_failed(event) || !self.reaches_command(at, started) {
                continue;
            }
            let moved = event.changes.iter().find_map(|change| match change {
                Change::Joined { task, namespace } | Change::Children { task, namespace }
                    if *task == event.task && namespace.kind == kind =>
                {
                    Some(*namespace)
                }
                _ => None,
            });
            match event.call.as_str() {
                "setns" if moved == Some(first) => back = away.then_some(at),
                "setns" if moved.is_none() => {}
                "setns" => (away, back) = (true, None),
                _ if event.has_flag(flag) => (away, back) = (true, None),
                _ => {}
            }
        }
        back
    }

    fn reaches_command(&self, at: usize, started: usize) -> bool {
        let event = &self.events[at];
        // The child that a call with such flags has made may be the one that becomes COMMAND.
        self.reaches(at, started)
            || event.makes_a_child()
                && event.changes.iter().any(|change| {
                    matches!(change, Change::Task { task, .. } if *task == self.events[started].task)
                })
    }

    /// The end of the first process of a PID namespace that the program has made, before COMMAND was started or
    /// while it ran, if the kernel has ended a process of that namespace because of it: the event, and that
    /// process.
    pub fn first_of_pids_ended(&self) -> Option<(usize, u32)> {
        let pids = |of: u32| {
            self.events.iter().flat_map(|event| &event.changes).find_map(|change| match change {
                Change::Task { task, process, pids, .. } if *task == of && process == task => {
                    Some(pids)
                }
                _ => None,
            })
        };
        let depth = pids(1)?.len();
        let ends = |wanted: fn(&Exit) -> bool| {
            let of = move |(at, event): (usize, &Event)| {
                event.changes.iter().find_map(move |change| match change {
                    Change::Ended { task, how } if wanted(how) => Some((at, *task)),
                    _ => None,
                })
            };
            self.events.iter().enumerate().filter_map(of)
        };
        let never = !self.events.iter().any(Event::starts_command);
        // What else is left when PID 1 ends may be left on purpose.
        let is_or_becomes_command = |task: u32| {
            self.executed_by(task).any(Event::starts_command)
                || never && self.executed_by(task).next().is_none()
        };
        ends(|how| matches!(how, Exit::Exited(_))).find_map(|(at, init)| {
            let is_init =
                pids(init).is_some_and(|pids| pids.len() > depth && pids.last() == Some(&1));
            let killed = ends(|how| *how == Exit::Killed(libc::SIGKILL)).find(|(later, task)| {
                *later > at
                    && is_or_becomes_command(*task)
                    && self.ancestors(*task).iter().any(|(ancestor, _)| *ancestor == init)
            });
            killed.filter(|_| is_init).map(|(_, task)| (at, task))
        })
    }

    /// The end of the program, if it came with status 0 while a process that the program had made went on, and
    /// that process has executed nothing: the event, and the process.
    pub fn ended_too_early(&self) -> Option<(usize, u32)> {
        if !self.is_whole() || self.events.iter().any(Event::starts_command) {
            return None;
        }
        let at = self.events.iter().position(|event| {
            let ended =
                |change: &Change| matches!(change, Change::Ended { task: 1, how: Exit::Exited(0) });
            event.changes.iter().any(ended)
        })?;
        let ended_later = self.events[at + 1..].iter().flat_map(|event| &event.changes);
        let cut_off = ended_later.into_iter().find_map(|change| match change {
            Change::Ended { task, how: Exit::Killed(libc::SIGKILL) }
                if self.who(*task) == By::Child && self.executed_by(*task).next().is_none() =>
            {
                Some(*task)
            }
            _ => None,
        });
        cut_off.map(|task| (at, task))
    }

    /// The calls by which a task has executed programs. The start of the program itself is none.
    fn executed_by(&self, task: u32) -> impl Iterator<Item = &Event> {
        self.events.iter().skip(1).filter(move |event| event.task == task && executes(event))
    }

    fn who(&self, task: u32) -> By {
        match self.born(task) {
            Some((process, _)) if process != task => By::Thread,
            _ if task == 1 => By::Program,
            _ => By::Child,
        }
    }

    /// The process of a task, and the task that made it.
    fn born(&self, task: u32) -> Option<(u32, Option<u32>)> {
        let changes = self.events.iter().flat_map(|event| &event.changes);
        changes.into_iter().find_map(|change| match change {
            Change::Task { task: born, process, parent, .. } if *born == task => {
                Some((*process, *parent))
            }
            _ => None,
        })
    }

    /// Whether COMMAND, or where no check has given one the last program that was executed, finds what this
    /// call has changed: its own process made it, or one from which it descends, in time.
    fn is_for_command(&self, at: usize) -> bool {
        let starts = |event: &Event| event.starts_command() && executes(event);
        let command = self.events.iter().rposition(starts);
        let exec = command.or_else(|| self.events.iter().rposition(executes));
        let Some(exec) = exec.filter(|exec| *exec > at) else { return false };
        self.reaches(at, exec)
    }

    /// The tasks from which this one descends, each with the event in which it made the next.
    fn ancestors(&self, task: u32) -> Vec<(u32, usize)> {
        let birth = |of: u32| {
            let is_born =
                |change: &Change| matches!(change, Change::Task { task, .. } if *task == of);
            self.events.iter().position(|event| event.changes.iter().any(is_born))
        };
        let mut found: Vec<(u32, usize)> = Vec::new();
        let mut below = task;
        while let Some((_, Some(parent))) = self.born(below) {
            let Some(birth) = birth(below).filter(|_| found.iter().all(|(of, _)| *of != parent))
            else {
                break;
            };
            found.push((parent, birth));
            below = parent;
        }
        found
    }
}

fn has_failed(event: &Event) -> bool {
    matches!(event.outcome, Outcome::Error { .. })
}

/// Whether it is an execve(2), or execveat(2), that has succeeded.
fn executes(event: &Event) -> bool {
    event.call.starts_with("execve") && !has_failed(event)
}

impl Event {
    /// Whether the call makes a process or a thread. Its flags are about what it makes.
    pub fn makes_a_child(&self) -> bool {
        ["clone", "clone3", "fork", "vfork"].contains(&self.call.as_str())
    }
}

fn is_end(event: &Event) -> bool {
    ["exit", "end"].contains(&event.call.as_str())
}

fn has_result(event: &Event, wanted: &str) -> bool {
    match (&event.outcome, wanted) {
        (Outcome::Error { .. }, "failed") => true,
        (Outcome::Error { errno, .. }, name) => format!("{errno:?}") == name,
        (_, wanted) => wanted == "ok",
    }
}

/// A call as a mistake names it, such as `unshare(CLONE_NEWUTS)` or `write(uid_map)`.
struct Wanted {
    name: String,
    /// What its arguments have in them.
    words: Vec<String>,
}

impl Wanted {
    fn read(text: &str) -> Wanted {
        let (name, rest) = text.split_once('(').unwrap_or((text, ""));
        let words = rest.trim_end_matches(')').split([',', '|']).map(str::trim);
        let words = words.map(|word| word.trim_matches('"').to_owned());
        Wanted {
            name: name.to_owned(),
            words: words.filter(|word| !word.is_empty() && word != "*").collect(),
        }
    }

    /// Whether this is the call, or another that does the same.
    fn fits(&self, event: &Event) -> bool {
        let makes_child = event.makes_a_child();
        let same = match self.name.as_str() {
            "fork" | "clone" | "clone3" => makes_child && !event.has_flag("CLONE_THREAD"),
            "unshare" if !self.words.is_empty() => makes_child || event.call == "unshare",
            name => event.call == name,
        };
        same && self.words.iter().all(|word| event.has_flag(word) || event.text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argument::Argument;
    use nix::errno::Errno;

    fn flags(names: &[&str]) -> Vec<Argument> {
        vec![Argument::Flags(names.iter().map(|name| (*name).to_owned()).collect())]
    }

    fn born(task: u32, process: u32, parent: u32) -> Change {
        Change::Task { task, process, parent: Some(parent), pids: vec![], namespaces: vec![] }
    }

    fn event(task: u32, call: &str, names: &[&str], outcome: Outcome) -> Event {
        Event::new(task, call, flags(names), outcome, Vec::new())
    }

    fn with(change: Change, event: Event) -> Event {
        Event { changes: vec![change], ..event }
    }

    fn failed() -> Outcome {
        Outcome::Error { errno: Errno::EINVAL, why: None }
    }

    fn trace(events: Vec<Event>) -> Trace {
        let start = with(
            Change::Task { task: 1, process: 1, parent: None, pids: vec![], namespaces: vec![] },
            event(1, "start", &[], Outcome::Never),
        );
        let events = [vec![start], events].concat();
        Trace { events, complete: true, ..Trace::default() }
    }

    fn execve(task: u32) -> Event {
        event(task, "execve", &["COMMAND"], Outcome::Never)
    }

    fn made(trace: &Trace) -> Option<Made> {
        trace.made("unshare(CLONE_NEWUTS)", Side::Before, "execve(*")
    }

    #[test]
    fn a_call_is_missing_only_if_nobody_made_it() {
        let unshare = |task, outcome| event(task, "unshare", &["CLONE_NEWUTS"], outcome);
        let ok = Outcome::Value(0);
        assert_eq!(made(&trace(vec![execve(1)])), Some(Made::Never));
        assert_eq!(made(&trace(vec![unshare(1, ok.clone()), execve(1)])), Some(Made::There));
        assert_eq!(made(&trace(vec![unshare(1, failed()), execve(1)])), Some(Made::Failed(1)));
        assert_eq!(made(&trace(vec![execve(1), unshare(1, ok.clone())])), Some(Made::WrongSide(2)));
        let thread =
            || with(born(2, 1, 1), event(1, "clone3", &["CLONE_THREAD"], Outcome::Value(2)));
        let by_thread = trace(vec![thread(), unshare(2, ok.clone()), execve(1)]);
        assert_eq!(made(&by_thread), Some(Made::Elsewhere(2, By::Thread)));
        let fork = with(born(2, 2, 1), event(1, "clone", &["SIGCHLD"], Outcome::Value(2)));
        let command =
            Event { arguments: vec![Argument::Text("/srv/command".to_owned())], ..execve(1) };
        let fork_of_thread =
            with(born(3, 3, 2), event(2, "clone", &["SIGCHLD"], Outcome::Value(3)));
        let goes_on =
            trace(vec![thread(), unshare(2, ok.clone()), command, fork_of_thread, execve(3)]);
        assert_eq!(made(&goes_on), Some(Made::Elsewhere(2, By::Thread)), "it executes another");
        let by_child = trace(vec![fork.clone(), unshare(2, ok.clone()), execve(1)]);
        assert_eq!(made(&by_child), Some(Made::Elsewhere(2, By::Child)));
        let by_parent = trace(vec![unshare(1, ok.clone()), fork.clone(), execve(2)]);
        assert_eq!(made(&by_parent), Some(Made::There), "COMMAND is a child of the caller");
        let too_late = trace(vec![fork.clone(), unshare(1, ok.clone()), execve(2)]);
        assert_eq!(made(&too_late), Some(Made::WrongSide(2)), "COMMAND was born before the call");
        let clone = with(born(2, 2, 1), event(1, "clone", &["CLONE_NEWUTS"], Outcome::Value(2)));
        assert_eq!(made(&trace(vec![clone, execve(2)])), Some(Made::There), "clone does it, too");
        let clone = with(born(3, 3, 1), event(1, "clone", &["CLONE_NEWUTS"], Outcome::Value(3)));
        let of_another = trace(vec![clone, fork, execve(2)]);
        assert_eq!(made(&of_another), Some(Made::Elsewhere(1, By::Program)), "of another child");
        assert_eq!(made(&trace(vec![])), None, "there is no place to point to");
        let by_command = trace(vec![
            with(born(2, 2, 1), event(1, "clone", &["SIGCHLD"], Outcome::Value(2))),
            unshare(2, Outcome::Value(0)),
            execve(2),
        ]);
        let after_start = by_command.made("unshare(CLONE_NEWUTS)", Side::After, "start*");
        assert_eq!(after_start, Some(Made::There), "COMMAND's own process made it");
    }

    #[test]
    fn a_trace_that_was_cut_off_proves_no_absence() {
        let pointer = Pointer::Missing {
            call: "unshare(CLONE_NEWUTS)".into(),
            side: Side::Before,
            of: "execve(*".into(),
        };
        let whole = trace(vec![execve(1)]);
        assert!(whole.supports(&pointer));
        assert!(!Trace { dropped: 1, ..whole.clone() }.supports(&pointer));
        assert!(!Trace { complete: false, ..whole.clone() }.supports(&pointer));
        let none = Proof { call: vec!["unshare(*".into()], none: true, ..Proof::default() };
        assert!(whole.proves(&none));
        assert!(!Trace { complete: false, ..whole }.proves(&none));
    }

    #[test]
    fn a_program_gives_up_after_a_call_that_failed() {
        let exit = |code| {
            let ended = Change::Ended { task: 1, how: Exit::Exited(code) };
            with(ended, event(1, "exit", &[], Outcome::Never))
        };
        let unshare = || event(1, "unshare", &["CLONE_NEWUTS"], failed());
        assert_eq!(trace(vec![unshare(), exit(1)]).gave_up(), Some(1));
        assert_eq!(trace(vec![unshare(), exit(0)]).gave_up(), None, "it says that it was right");
        let killed = Change::Ended { task: 1, how: Exit::Killed(libc::SIGKILL) };
        let killed = with(killed, event(1, "end", &[], Outcome::Never));
        assert_eq!(trace(vec![unshare(), killed]).gave_up(), None, "the run was over");
        assert_eq!(trace(vec![unshare(), execve(1), exit(1)]).gave_up(), None, "it went on");
        let mount = event(1, "mount", &[], Outcome::Value(0));
        let went_on = trace(vec![unshare(), mount, exit(1)]);
        assert_eq!((went_on.gave_up(), went_on.went_on()), (None, Some(1)));
        assert_eq!(trace(vec![unshare(), exit(1)]).went_on(), None);
        let mount = |outcome| event(1, "mount", &[], outcome);
        let ok = Outcome::Value(0);
        let twice = vec![mount(failed()), unshare(), mount(failed()), execve(1)];
        assert_eq!(trace(twice).went_on(), Some(2), "the mounts may fail because of it");
        let again = event(1, "unshare", &["CLONE_NEWUTS"], ok);
        let retried = vec![unshare(), again, mount(failed()), execve(1)];
        assert_eq!(trace(retried).went_on(), Some(3), "it has succeeded by then");
        let on = |path: &str, outcome| {
            let arguments = vec![Argument::Null, Argument::Text(path.to_owned())];
            Event::new(1, "mount", arguments, outcome, Vec::new())
        };
        let two = vec![on("/", failed()), on("/mnt", failed()), on("/tmp", Outcome::Value(0))];
        assert_eq!(trace(two).went_on(), Some(1), "the second may fail because of the first");
        let mended = vec![on("/", failed()), on("/mnt", failed()), on("/", Outcome::Value(0))];
        assert_eq!(trace(mended).went_on(), Some(2), "the first has succeeded in the end");
        let thread = with(born(2, 1, 1), event(1, "clone3", &["CLONE_THREAD"], Outcome::Value(2)));
        let ended = Change::Ended { task: 2, how: Exit::Exited(0) };
        let of_thread =
            [event(2, "setns", &[], failed()), with(ended, event(2, "exit", &[], Outcome::Never))];
        let [failure, end] = of_thread;
        let in_a_thread = vec![thread, failure, end, exit(1)];
        assert_eq!(
            trace(in_a_thread.clone()).gave_up(),
            Some(2),
            "a thread ends before its process"
        );
        assert_eq!(trace(in_a_thread[..3].to_vec()).gave_up(), None, "its process has not ended");
    }

    #[test]
    fn a_program_ends_after_a_failure_while_its_child_goes_on() {
        let fork = || with(born(2, 2, 1), event(1, "fork", &[], Outcome::Value(2)));
        let mount = |task| event(task, "mount", &[], failed());
        let exit = |code| {
            let ended = Change::Ended { task: 1, how: Exit::Exited(code) };
            with(ended, event(1, "exit", &[], Outcome::Never))
        };
        let alone = |events| trace(events).ended_alone();
        assert_eq!(alone(vec![fork(), execve(2), mount(1), exit(101)]), Some(3));
        assert_eq!(alone(vec![fork(), mount(1), execve(2), exit(101)]), Some(2));
        assert_eq!(alone(vec![fork(), execve(2), mount(1), exit(0)]), None, "all went well");
        assert_eq!(alone(vec![mount(1), fork(), execve(2), exit(1)]), None, "it went on");
        assert_eq!(alone(vec![fork(), mount(2), execve(2), exit(1)]), None, "its child failed");
    }

    #[test]
    fn an_exec_failed_and_none_succeeded() {
        let tried = || Event { outcome: failed(), ..execve(1) };
        let unshare = || event(1, "unshare", &[], failed());
        assert_eq!(trace(vec![tried(), tried()]).failed_exec(), Some(2));
        assert_eq!(trace(vec![tried(), execve(1)]).failed_exec(), None, "another path was right");
        assert_eq!(trace(vec![tried(), unshare()]).failed_exec(), None, "it is not the last");
        assert_eq!(Trace { complete: false, ..trace(vec![tried()]) }.failed_exec(), None);
    }

    #[test]
    fn a_child_of_command_is_not_one_of_the_program() {
        let fork = |task, by| {
            with(born(task, task, by), event(by, "fork", &[], Outcome::Value(task.into())))
        };
        let killed = |task| {
            let ended = Change::Ended { task, how: Exit::Killed(libc::SIGABRT) };
            with(ended, event(task, "end", &[], Outcome::Never))
        };
        assert_eq!(
            trace(vec![fork(2, 1), killed(2)]).killed_before_exec(),
            Some((2, 2, libc::SIGABRT))
        );
        let of_command = trace(vec![fork(2, 1), execve(2), fork(3, 2), killed(3)]);
        assert_eq!(of_command.killed_before_exec(), None);
    }

    #[test]
    fn conditions_on_calls() {
        let unshare = event(1, "unshare", &["CLONE_NEWUTS"], failed());
        let trace = trace(vec![unshare, execve(1)]);
        let proof = |call: &str| Proof { call: vec![call.into()], ..Proof::default() };
        assert!(trace.proves(&proof("unshare(*")) && !trace.proves(&proof("setns(*")));
        for (result, holds) in [("failed", true), ("EINVAL", true), ("EPERM", false), ("ok", false)]
        {
            let proof = Proof { result: Some(result.into()), ..proof("unshare(*") };
            assert_eq!(trace.proves(&proof), holds, "{result}");
        }
        assert!(trace.proves(&Proof { before: Some("execve(*".into()), ..proof("unshare(*") }));
        assert!(!trace.proves(&Proof { after: Some("execve(*".into()), ..proof("unshare(*") }));
        assert!(trace.proves(&Proof { by: Some(By::Program), ..proof("unshare(*") }));
        assert!(!trace.proves(&Proof { by: Some(By::Child), ..proof("unshare(*") }));
    }

    #[test]
    fn a_call_leads_to_another_in_its_task_and_in_descendants() {
        let unshare = |task| event(task, "unshare", &["CLONE_NEWPID"], Outcome::Value(0));
        let fork = |task, by| {
            with(born(task, task, by), event(by, "fork", &[], Outcome::Value(task.into())))
        };
        let mount = |task| event(task, "mount", &["proc"], failed());
        let thread = with(born(2, 1, 1), event(1, "clone3", &["CLONE_THREAD"], Outcome::Value(2)));
        let proves = |events: Vec<Event>| {
            let trace = trace(events);
            let to = || Some("mount(*".to_owned());
            let call = vec!["unshare(*".to_owned()];
            let same = Proof { call: call.clone(), same: to(), ..Proof::default() };
            let reaches = Proof { call, reaches: to(), ..Proof::default() };
            (trace.proves(&same), trace.proves(&reaches))
        };
        assert_eq!(proves(vec![unshare(1), mount(1)]), (true, true));
        assert_eq!(proves(vec![mount(1), unshare(1)]), (false, false), "it came later");
        assert_eq!(proves(vec![unshare(1), fork(2, 1), mount(2)]), (false, true));
        assert_eq!(proves(vec![fork(2, 1), unshare(1), mount(2)]), (false, false), "born before");
        assert_eq!(proves(vec![fork(2, 1), unshare(2), mount(1)]), (false, false), "in a child");
        let by_a_thread = vec![thread, unshare(2), fork(3, 1), mount(3)];
        assert_eq!(proves(by_a_thread), (false, false), "the other thread forks");
    }

    #[test]
    fn a_call_is_known_by_its_roles() {
        let mount =
            Event { text: "mount(\"/tmp/abc\")".into(), ..event(1, "mount", &[], failed()) };
        let mut trace = trace(vec![mount, execve(1)]);
        let proof = Proof { call: vec!["mount(\"SHARE\")".into()], ..Proof::default() };
        assert!(!trace.proves(&proof));
        trace.name_by_role(|text| text.replace("/tmp/abc", "SHARE"));
        assert!(trace.proves(&proof));
        let by_path = Proof { call: vec!["mount(\"/tmp/*".into()], ..Proof::default() };
        assert!(trace.proves(&by_path), "its own words count as well");
    }

    #[test]
    fn the_call_after_which_a_program_gave_up_is_meant_before_a_later_one() {
        let fork = with(born(2, 2, 1), event(1, "fork", &[], Outcome::Value(2)));
        let exit = Change::Ended { task: 1, how: Exit::Exited(1) };
        let exit = with(exit, event(1, "exit", &[], Outcome::Never));
        let mount = |task, outcome| event(task, "mount", &[], outcome);
        let two = trace(vec![fork, mount(1, failed()), exit, mount(2, Outcome::Value(0))]);
        assert_eq!(two.gave_up(), Some(2));
        assert_eq!(two.find("mount(*"), Some(2), "the last one is call 4");
    }

    /// A program that starts in one UTS namespace, the first, and makes these calls.
    fn from_a(events: Vec<Event>) -> Trace {
        let mut trace = trace(events);
        let Change::Task { namespaces, .. } = &mut trace.events[0].changes[0] else { panic!() };
        namespaces.push(uts(1));
        trace
    }

    fn uts(index: u32) -> NamespaceId {
        NamespaceId { kind: Kind::Uts, index }
    }

    #[test]
    fn a_process_goes_back_to_where_the_program_was_started() {
        let unshare = |task| {
            let moved = Change::Joined { task, namespace: uts(2) };
            with(moved, event(task, "unshare", &["CLONE_NEWUTS"], Outcome::Value(0)))
        };
        let setns = |task, index| {
            let moved = Change::Joined { task, namespace: uts(index) };
            with(moved, event(task, "setns", &[], Outcome::Value(0)))
        };
        let command = |task| {
            let path = vec![Argument::Text("/lab/command".to_owned())];
            Event { arguments: path, ..execve(task) }
        };
        let fork = || with(born(2, 2, 1), event(1, "fork", &[], Outcome::Value(2)));
        let back = |events: Vec<Event>| from_a(events).went_back(Kind::Uts);
        assert_eq!(back(vec![unshare(1), setns(1, 1), command(1)]), Some(2));
        assert_eq!(back(vec![unshare(1), setns(1, 1), fork(), command(2)]), Some(2));
        assert_eq!(
            back(vec![unshare(1), fork(), setns(1, 1), command(2)]),
            None,
            "the parent alone"
        );
        assert_eq!(back(vec![setns(1, 1), command(1)]), None, "it has never left");
        assert_eq!(back(vec![unshare(1), setns(1, 3), command(1)]), None, "to a third one");
        assert_eq!(back(vec![unshare(1), setns(1, 1), unshare(1), command(1)]), None);
        assert_eq!(back(vec![unshare(1), command(1), setns(1, 1)]), None, "COMMAND runs by then");
        assert_eq!(back(vec![unshare(1), setns(1, 1)]), None, "there is no COMMAND");
    }

    #[test]
    fn pid_1_ends_before_command() {
        let in_pids = |task, by, pids: Vec<i32>| {
            let made =
                Change::Task { task, process: task, parent: Some(by), pids, namespaces: vec![] };
            with(made, event(by, "fork", &[], Outcome::Value(2)))
        };
        let end =
            |task, how| with(Change::Ended { task, how }, event(task, "exit", &[], Outcome::Never));
        let killed = |task| end(task, Exit::Killed(libc::SIGKILL));
        let command = |task| {
            let path = vec![Argument::Text("/lab/command".to_owned())];
            Event { arguments: path, ..execve(task) }
        };
        let of = |events: Vec<Event>| {
            let mut trace = trace(events);
            let Change::Task { pids, .. } = &mut trace.events[0].changes[0] else { panic!() };
            pids.push(2);
            trace.first_of_pids_ended()
        };
        let inner =
            |init: i32| vec![in_pids(2, 1, vec![3, init]), in_pids(3, 2, vec![4, init + 1])];
        let with_ends =
            |init, middle: Vec<Event>, ends: Vec<Event>| [inner(init), middle, ends].concat();
        let both = || vec![end(2, Exit::Exited(0)), killed(3)];
        assert_eq!(of(with_ends(1, vec![], both())), Some((3, 3)));
        assert_eq!(of(with_ends(1, vec![command(3)], both())), Some((4, 3)), "COMMAND is killed");
        assert_eq!(of(with_ends(7, vec![], both())), None, "it is not PID 1");
        let other = with_ends(1, vec![command(2)], both());
        assert_eq!(of(other), None, "PID 1 was COMMAND itself, and what it leaves is its own");
        let alone = with_ends(1, vec![], vec![killed(3), end(2, Exit::Exited(0))]);
        assert_eq!(of(alone), None, "it was killed before");
        let by_itself =
            with_ends(1, vec![], vec![end(2, Exit::Exited(0)), end(3, Exit::Exited(1))]);
        assert_eq!(of(by_itself), None);
    }

    #[test]
    fn a_program_ends_too_early() {
        let fork = || with(born(2, 2, 1), event(1, "fork", &[], Outcome::Value(2)));
        let end =
            |task, how| with(Change::Ended { task, how }, event(task, "exit", &[], Outcome::Never));
        let killed = || end(2, Exit::Killed(libc::SIGKILL));
        let of = |events: Vec<Event>| trace(events).ended_too_early();
        assert_eq!(of(vec![fork(), end(1, Exit::Exited(0)), killed()]), Some((2, 2)));
        assert_eq!(of(vec![fork(), end(1, Exit::Exited(1)), killed()]), None, "it says it failed");
        assert_eq!(of(vec![fork(), killed(), end(1, Exit::Exited(0))]), None, "it ended before");
        assert_eq!(of(vec![fork(), execve(2), end(1, Exit::Exited(0)), killed()]), None);
        let by_itself = vec![fork(), end(1, Exit::Exited(0)), end(2, Exit::Exited(0))];
        assert_eq!(of(by_itself), None);
    }

    #[test]
    fn a_program_that_was_started_has_failed() {
        let fork = with(born(2, 2, 1), event(1, "clone", &["SIGCHLD"], Outcome::Value(2)));
        let exit = |code| {
            let ended = Change::Ended { task: 2, how: Exit::Exited(code) };
            with(ended, event(2, "exit", &[], Outcome::Never))
        };
        let of = |events: Vec<Event>| trace([vec![fork.clone()], events].concat()).failed_tool();
        assert_eq!(of(vec![execve(2), exit(2)]), Some((2, 2)));
        assert_eq!(of(vec![execve(2), exit(0)]), None);
        assert_eq!(of(vec![exit(2)]), None, "it has executed nothing");
        let child = with(born(3, 3, 2), event(2, "fork", &[], Outcome::Value(3)));
        assert_eq!(of(vec![execve(2), child, exit(2)]), None, "its child may be the cause");
    }

    #[test]
    fn a_child_that_a_signal_ended() {
        let fork = with(born(2, 2, 1), event(1, "clone", &["SIGCHLD"], Outcome::Value(2)));
        let end_by = |signal| {
            let killed = Change::Ended { task: 2, how: Exit::Killed(signal) };
            with(killed, event(2, "end", &[], Outcome::Never))
        };
        let trace_of = |middle: Vec<Event>| {
            trace([vec![fork.clone()], middle, vec![end_by(libc::SIGABRT)]].concat())
        };
        assert_eq!(trace_of(vec![]).killed_before_exec(), Some((2, 2, libc::SIGABRT)));
        assert_eq!(trace_of(vec![execve(2)]).killed_before_exec(), None);
        let killed = vec![fork.clone(), end_by(libc::SIGKILL)];
        assert_eq!(trace(killed.clone()).killed_before_exec(), None, "the run was over");
        let unshare = event(1, "unshare", &["CLONE_NEWUTS"], Outcome::Value(0));
        let and_on = trace([killed, vec![unshare]].concat());
        assert_eq!(and_on.killed_before_exec(), Some((2, 2, libc::SIGKILL)));
    }
}
