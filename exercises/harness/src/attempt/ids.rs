//! What the kernel says about COMMAND's ids and capabilities, and about the owners of its namespaces.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Attempt, Seen};
use lab::look::{Kind, Namespace, Process, kernel};
use lab::sandbox::{self, NoTrace, Sandbox};
use lab::visit;
use trace::{Change, NamespaceId, Trace, World};

/// The name in the report for the ids that the program started with, as seen from this machine.
const YOU: &str = "you";

/// How long an empty map is read again: it may be written too late, or never.
const LATE: Duration = Duration::from_millis(300);

/// A sandbox in which [`Attempt::denial_of`] can see whether the program denies setgroups(2): it is
/// not denied there yet, where the harness has the privilege to arrange that; elsewhere the run is
/// recorded.
pub fn watch_setgroups(sandbox: Sandbox) -> Sandbox {
    if sandbox::has_many_ids() { sandbox.many_ids() } else { sandbox.record() }
}

impl Attempt {
    /// Enters COMMAND's ids in the report: the maps of its user namespace, the ids it had when it
    /// was executed, and those it has outside. `asked` are the uid and gid that it should have
    /// inside; in the report they are UID and GID (but 0 is 0). The ids that the program started
    /// with are `you`.
    pub fn ids_of(&mut self, command: &Seen, asked: [u32; 2]) {
        let command = &command.process;
        let you = self.run.ids();
        let maps = ["uid_map", "gid_map"];
        await_maps(command, maps);
        for (which, file) in maps.into_iter().enumerate() {
            let (asked, you) = (asked[which], you.map(|you| you[which]));
            let name = ["UID", "GID"][which];
            let lines = command.map(file).into_iter().map(|[inside, outside, length]| {
                let inside = called(inside, Some(asked), name);
                format!("{inside} {} {length}", called(outside, you, YOU))
            });
            let lines: Vec<_> = lines.collect();
            if command.map(file).iter().any(|[inside, ..]| *inside != asked) {
                self.report.aside(&format!("{file} has other ids"), "yes");
            }
            let lines = if lines.is_empty() { "empty".to_owned() } else { lines.join(", ") };
            self.report.line(&format!("{file} of COMMAND"), lines);
        }
        self.enter_ids_at_exec(command, asked, ["UID", "GID"]);
        let outside = command.ids();
        let yours = if outside == you { "yours" } else { "not yours" };
        self.report.line("its ids outside", yours);
    }

    /// Enters the ids that a process had when it was executed, those that it should have had by `names`.
    fn enter_ids_at_exec(&mut self, process: &Process, asked: [u32; 2], names: [&str; 2]) {
        let at_exec = match process.ids_at_exec() {
            Some(ids) => {
                let name = |which: usize| called(ids[which], Some(asked[which]), names[which]);
                format!("{} {}", name(0), name(1))
            }
            None => "cannot be read".to_owned(),
        };
        self.report.line("ids when it was executed", at_exec);
    }

    /// Enters the maps of each user namespace from the lab's, which is left out, inwards to COMMAND's, as
    /// a process in it reads them, and the ids that COMMAND had when it was executed. `asked` are the uid
    /// and gid that it should have in each; in the report they are UID1 and GID1, UID2 and GID2, and so on.
    pub fn levels_of(&mut self, command: &Seen, asked: &[[u32; 2]]) {
        let (mut levels, lab) = (Vec::new(), self.run.lab().get(Kind::User));
        let mut next = command.namespaces.get(Kind::User).map(Namespace::try_clone);
        while let Some(Ok(user)) = next.take_if(|user| user.as_ref().ok() != lab) {
            next = Some(user.parent());
            levels.insert(0, user);
        }
        for (level, user) in levels.iter().enumerate() {
            let maps = ["uid_map", "gid_map"].into_iter().enumerate().map(|(which, file)| {
                let name = |level: usize, id| {
                    let asked = asked.get(level).map(|asked| asked[which]);
                    called(id, asked, &format!("{}{}", ["UID", "GID"][which], level + 1))
                };
                let lines = match visit::map_in(user, file) {
                    Ok(lines) if lines.is_empty() => return "empty".to_owned(),
                    Ok(lines) => lines,
                    Err(errno) => return format!("cannot be read ({errno})"),
                };
                let lines = lines.into_iter().map(|[inside, outside, length]| {
                    let outside = match level.checked_sub(1) {
                        Some(outer) => name(outer, outside),
                        None => outside.to_string(),
                    };
                    format!("{} {outside} {length}", name(level, inside))
                });
                lines.collect::<Vec<_>>().join(" and ")
            });
            let maps: Vec<_> = maps.collect();
            self.report.line(&format!("user namespace {}", level + 1), maps.join(", "));
        }
        if let Some(innermost) = asked.last() {
            let names = ["UID", "GID"].map(|name| format!("{name}{}", asked.len()));
            self.enter_ids_at_exec(&command.process, *innermost, [&names[0], &names[1]]);
        }
    }

    /// Enters, at the end of the run, whether the program has denied setgroups(2) in COMMAND's user
    /// namespace. The sandbox is one for [`watch_setgroups`].
    pub fn denial_of(&mut self, command: &Seen) {
        let denied = command.process.setgroups().as_deref() == Some("deny");
        // A trace knows the pids from the sandbox's PID namespace inwards.
        let pids = command.process.pids().into_iter().skip(1).collect();
        self.denied = Some((denied, pids));
    }

    /// A user namespace inherits the denial (user_namespaces(7)). If the lab has it already, the file
    /// contains `deny` whatever the program did, and only the trace of the run shows which process wrote it.
    pub(super) fn enter_denial(&mut self, trace: &Result<Trace, NoTrace>) {
        let Some((denied, command)) = self.denied.take() else { return };
        let denial = match (denied, sandbox::has_many_ids()) {
            (false, _) => NOT_DENIED.to_owned(),
            (true, true) => DENIED.to_owned(),
            (true, false) => {
                if let Err(why @ NoTrace::Refused(_)) = trace {
                    self.report.skip(
                        "who wrote `deny`",
                        &format!(
                            "the lab has a map of one id, so setgroups(2) was denied there before \
                             your program started, and the run could not be recorded ({why}); as \
                             root the check can look"
                        ),
                    );
                }
                denial_in(trace, &command)
            }
        };
        self.report.line("setgroups of COMMAND", denial);
    }

    /// Enters how many of the kernel's capabilities COMMAND has, in its own user namespace.
    pub fn capabilities_of(&mut self, command: &Seen) {
        let all = kernel::all_capabilities();
        let many = match command.process.bits("CapEff") {
            Some(0) => "none",
            mask if mask == all => "all",
            Some(_) => "some",
            None => "cannot be read",
        };
        self.report.line("capabilities of COMMAND", many);
    }

    /// Enters which of COMMAND's namespaces its user namespace owns.
    pub fn owner_of(&mut self, command: &Seen) {
        let user = command.namespaces.get(Kind::User);
        let owned = Kind::ALL.into_iter().filter(|kind| {
            let owner = command.namespaces.get(*kind).map(|namespace| namespace.owner());
            // EPERM: the owner is not below this process's user namespace, so it is not COMMAND's.
            owner.and_then(Result::ok).as_ref() == user
        });
        let owned: Vec<_> = owned.map(Kind::name).collect();
        let owned = if owned.is_empty() { "nothing".to_owned() } else { owned.join(" ") };
        self.report.line("owned by its user namespace", owned);
    }
}

const DENIED: &str = "denied by your program";
const NOT_DENIED: &str = "not denied by your program";

/// Whether the program has denied setgroups(2) where the file contains `deny`. Only if the machine
/// forbids the recording does the program get the benefit of the doubt, because it can make the
/// recorder give up, or a trace too long.
fn denial_in(trace: &Result<Trace, NoTrace>, command: &[i32]) -> String {
    match trace {
        Ok(trace) if denies_setgroups(trace, command) => DENIED.to_owned(),
        Ok(trace) if trace.is_whole() => NOT_DENIED.to_owned(),
        Ok(trace) if trace.complete => {
            format!("could not be followed: {} calls are more than a trace keeps", trace.dropped)
        }
        Ok(_) => "could not be followed: the recording was cut off".to_owned(),
        Err(NoTrace::Refused(_)) => DENIED.to_owned(),
        Err(why) => format!("could not be followed: {why}"),
    }
}

/// Whether a process has written the word for the user namespace of the process with these pids, or for
/// one that it is nested in. The first event is what the program found.
fn denies_setgroups(trace: &Trace, pids: &[i32]) -> bool {
    let world = World::after(&trace.events);
    let command = world.tasks.values().rfind(|task| task.pids == pids);
    let own = command.and_then(|task| task.namespaces.get(&Kind::User).copied());
    let outwards = |id: &NamespaceId| world.namespace(*id)?.parent;
    let all: Vec<NamespaceId> = std::iter::successors(own, outwards).collect();
    let mut changes = trace.events.iter().skip(1).flat_map(|event| &event.changes);
    changes.any(|change| match change {
        Change::Setting { namespace, file, text } => {
            all.contains(namespace) && file == "setgroups" && text == "deny"
        }
        _ => false,
    })
}

/// Waits until both maps are written, or it is too [`LATE`] for that.
fn await_maps(command: &Process, maps: [&str; 2]) {
    let deadline = Instant::now() + LATE;
    while maps.iter().any(|file| command.map(file).is_empty()) && Instant::now() < deadline {
        sleep(Duration::from_millis(1));
    }
}

/// The number, or `name` if it is the named one; 0 stays 0, except for `you`.
fn called(number: u32, named: Option<u32>, name: &str) -> String {
    match number {
        0 if name != YOU => "0".to_owned(),
        number if Some(number) == named => name.to_owned(),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;
    use trace::{Event, Outcome};

    const COMMAND: [i32; 1] = [7];

    fn id(number: u32) -> NamespaceId {
        NamespaceId { kind: Kind::User, index: number }
    }

    /// A trace in which the word is found for user 1, and `setgroups` is written for user 2. COMMAND is
    /// in user `own`, which is nested in the one before.
    fn trace(setgroups: &str, own: u32) -> Trace {
        let event = |changes| Event::new(1, "write", Vec::new(), Outcome::Value(4), changes);
        let written = |number, text: &str| Change::Setting {
            namespace: id(number),
            file: "setgroups".into(),
            text: text.into(),
        };
        let all = (1..=own.max(2)).map(|number| Change::Namespace {
            id: id(number),
            owner: None,
            parent: (number > 1).then(|| id(number - 1)),
        });
        let task = Change::Task {
            task: 1,
            process: 1,
            parent: None,
            pids: COMMAND.into(),
            namespaces: vec![id(own)],
        };
        let first = all.chain([task, written(1, "deny")]).collect();
        let events = vec![event(first), event(vec![written(2, setgroups)])];
        Trace { events, complete: true, ..Trace::default() }
    }

    #[test]
    fn a_program_that_writes_the_word_has_denied_it() {
        let denial_in = |trace| denial_in(&Ok(trace), &COMMAND);
        assert_eq!(denial_in(trace("deny", 2)), DENIED);
        assert_eq!(denial_in(trace("deny", 3)), DENIED, "a nested namespace inherits it");
        assert_eq!(denial_in(trace("deny", 1)), NOT_DENIED, "it was for another namespace");
        assert_eq!(denial_in(trace("allow", 2)), NOT_DENIED, "the program found it so");
        assert_eq!(denial_in(Trace { dropped: 3, ..trace("deny", 2) }), DENIED);
        assert_eq!(denial_in(Trace { complete: false, ..trace("deny", 2) }), DENIED);
    }

    #[test]
    fn a_recording_that_was_cut_off_proves_nothing() {
        let long = Trace { dropped: 3, ..trace("allow", 2) };
        let cut = Trace { complete: false, ..trace("allow", 2) };
        for trace in [Ok(long), Ok(cut), Err(NoTrace::Lost), Err(NoTrace::NotRecorded)] {
            let denial = denial_in(&trace, &COMMAND);
            assert!(denial.starts_with("could not be followed: "), "{trace:?}: {denial}");
        }
        // Only the machine can have caused this.
        assert_eq!(denial_in(&Err(NoTrace::Refused(Errno::EPERM)), &COMMAND), DENIED);
    }
}
