//! What the recorded calls of a run say by themselves, where no row of a table of mistakes is proven.
//!
//! Each finding states what the trace shows, and claims no more.

use trace::{By, Change, Event, Exit, Kind, Made, Outcome, Pointer, Side, Trace, signal_name};

use crate::mistakes::{self, Diagnosis, Found, Mistake};
use crate::report::{Excerpt, Report, Row, mentions};

/// The status of a Rust program that has panicked.
const PANIC: i32 = 101;

/// The program ended after a call that had failed, and had executed nothing yet.
/// `saw` is what the step saw: some steps try what happens if there is no COMMAND to execute.
pub(crate) fn gave_up(report: &Report, [saw, _]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let exec = || trace.failed_exec().filter(|_| is_never_started(saw));
    let at = trace.gave_up().or_else(exec)?;
    let cause = format!("{}. After that your program started nothing more.", failure(trace, at)?);
    let remedy = match line_about(report, trace, at) {
        Some(line) => format!(
            "Find out why that call fails. In what your program printed it is the line `{line}`."
        ),
        None => {
            "Find out why that call fails. If your program does not print the call and its errno \
                 yet, let it do so: then you see them without the recorder, too."
                .to_owned()
        }
    };
    Some(found(mistakes::GAVE_UP, cause, remedy, trace, at))
}

/// A process died before it executed COMMAND.
pub(crate) fn killed(report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let (task, at, signal) = trace.killed_before_exec()?;
    let signal = signal_name(signal);
    let cause = format!(
        "{signal} ended a child of your program (number {task} in the trace) before it executed anything."
    );
    let remedy = match signal.as_str() {
        "SIGABRT" => {
            "Look for a panic: one that would leave the function that clone(2) was given, or any \
             `extern \"C\"` function, aborts the process. Return an error there, or print it and exit."
        }
        "SIGSEGV" | "SIGBUS" => "Look at the stack and the pointers that the child was given.",
        _ => "Find out who sends that signal: a process, or the kernel for one that asked for it.",
    };
    Some(found(mistakes::KILLED, cause, remedy.to_owned(), trace, at))
}

/// A call that a row takes for missing was made: it failed, or another task made it, or it came at
/// another time. `rows` are those whose facts fit.
pub(crate) fn made_otherwise(rows: &[&Mistake], report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let mut missing = rows.iter().filter_map(|row| match row.pointer.as_ref()? {
        Pointer::Missing { call, side, of } => {
            let before_command = *side == Side::Before && of.starts_with("execve");
            Some((trace.made(call, *side, of)?, before_command, of))
        }
        Pointer::Call(_) => None,
    });
    missing.find_map(|(made, before_command, of)| match made {
        Made::WrongSide(at) if before_command => Some(too_late(trace, at)),
        made => otherwise(trace, made, of),
    })
}

/// The same for a call that another thread has made, also where the program has given up afterwards.
pub(crate) fn made_by_a_thread(rows: &[&Mistake], report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    rows.iter().find_map(|row| match row.pointer.as_ref()? {
        Pointer::Missing { call, side, of } => match trace.made(call, *side, of)? {
            made @ Made::Elsewhere(_, By::Thread) => otherwise(trace, made, of),
            _ => None,
        },
        Pointer::Call(_) => None,
    })
}

/// The process that becomes COMMAND had left a namespace that the step asks it to leave, or its parent had, and
/// has gone back.
pub(crate) fn went_back(report: &Report, [saw, wanted]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let (saw, wanted) = (saw.table.as_deref()?, wanted.table.as_deref()?);
    let (lab, command) = (letters(wanted, "lab")?, letters(wanted, "COMMAND")?);
    let (lab_now, command_now) = (letters(saw, "lab")?, letters(saw, "COMMAND")?);
    let stayed =
        |kind: &usize| command[*kind] != lab[*kind] && command_now[*kind] == lab_now[*kind];
    let (at, kind) = (0..lab.len())
        .filter(stayed)
        .find_map(|kind| Some((trace.went_back(Kind::ALL[kind])?, Kind::ALL[kind])))?;
    let cause = format!(
        "{} went back to the {} namespace in which your program was started, and COMMAND was started \
         there.",
        call_at(trace, at),
        kind.in_words()
    );
    let remedy = "Leave that call out, or start COMMAND before it. A program that ends when COMMAND has ended need \
                  not go back at all.";
    Some(found(mistakes::WENT_BACK, cause, remedy.to_owned(), trace, at))
}

/// PID 1 of a new PID namespace ended, and with it the kernel ended the others, before COMMAND could be seen.
pub(crate) fn first_ended(report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let (at, task) = trace.first_of_pids_ended()?;
    let cause = format!(
        "A process that was PID 1 of a new PID namespace ended: {}. With PID 1 the kernel ends every process \
         of that namespace, so it killed process {task} of the trace, which PID 1 had started.",
        trace.shown(at)
    );
    let remedy = "Let PID 1 wait until COMMAND has ended, and exit with its status.".to_owned();
    Some(found(mistakes::FIRST_ENDED, cause, remedy, trace, at))
}

/// The program has succeeded before the process that it had made for COMMAND has executed anything.
pub(crate) fn ended_too_early(report: &Report, [saw, _]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let (at, task) = trace.ended_too_early().filter(|_| is_never_started(saw))?;
    let cause = format!(
        "Your program ended with status 0 ({}) while process {task} of the trace, which it had made, was still \
         running and had executed nothing. The check ends with your program.",
        trace.shown(at)
    );
    let remedy = "Wait with waitpid(2), without `WNOHANG`, until that process has ended, and exit with its \
                  status.";
    Some(found(mistakes::ENDED_TOO_EARLY, cause, remedy.to_owned(), trace, at))
}

/// A call came after the process was born that became COMMAND, or after COMMAND was started.
fn too_late(trace: &Trace, at: usize) -> Found {
    let mut cause = format!(
        "{} came too late: by then COMMAND had been started, or the process was born that became it.",
        call_at(trace, at)
    );
    if ["unshare", "setns"].contains(&trace.events[at].call.as_str()) {
        cause += " Nothing that a parent does later moves its child.";
    }
    let remedy = "Make the call before you start COMMAND.".to_owned();
    found(mistakes::IN_ANOTHER_ORDER, cause, remedy, trace, at)
}

/// The program itself ended after a call that had failed, and COMMAND was not seen.
pub(crate) fn ended_alone(report: &Report, [saw, _]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    ended(trace, trace.ended_alone().filter(|_| is_never_started(saw))?)
}

/// The program itself panicked after a call that had failed, while COMMAND went on.
pub(crate) fn panicked(report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let at = trace.ended_alone()?;
    if trace.ended_after(at) != Some(Exit::Exited(PANIC)) {
        return None;
    }
    let cause = format!(
        "{}. After that your program ended with status 101, as a Rust program does when it panics.",
        failure(trace, at)?
    );
    let remedy = "Find out why that call fails, and whether another process has to make it. Handle its \
                  error with `?` and `.context(…)`, so that the message names the call.";
    Some(found(mistakes::ENDED, cause, remedy.to_owned(), trace, at))
}

/// The process that had made this call, which failed, ended after it.
fn ended(trace: &Trace, at: usize) -> Option<Found> {
    let cause = format!(
        "{}. After that the process that had made it ended, and said by its end that something was wrong.",
        failure(trace, at)?
    );
    let remedy = "Find out why that call fails, and whether another process has to make it.";
    Some(found(mistakes::ENDED, cause, remedy.to_owned(), trace, at))
}

/// What became of a call that is needed for the last call that is like `of`.
fn otherwise(trace: &Trace, made: Made, of: &str) -> Option<Found> {
    let made_that = match trace.find(of) {
        Some(at) if at > 0 && !trace.events[at].starts_command() => format!("made call {at}"),
        _ => "started COMMAND".to_owned(),
    };
    let (name, at, cause, remedy) = match made {
        Made::Never | Made::There => return None,
        Made::Failed(at) if trace.ended_after(at).is_some() => return ended(trace, at),
        Made::Failed(at) => (
            mistakes::IGNORED,
            at,
            format!("{}, and your program went on.", failure(trace, at)?),
            "Handle the result of that call: report the error and stop. Unless the step refuses the call on \
             purpose, find out why it fails.",
        ),
        Made::Elsewhere(at, By::Thread) => (
            mistakes::BY_ANOTHER_THREAD,
            at,
            format!(
                "{} was made by another thread than the one that {made_that}. The call concerns the thread \
                 that makes it, and the children of that thread.",
                call_at(trace, at)
            ),
            "Make the call in the thread that starts COMMAND, or forks for it.",
        ),
        Made::Elsewhere(at, _) if trace.events[at].makes_a_child() => (
            mistakes::OF_ANOTHER_CHILD,
            at,
            format!(
                "The flags of {} concern the child that this call made, and COMMAND does not descend \
                 from that child.",
                trace.shown(at)
            ),
            "Let the process that this call makes start COMMAND, or become it.",
        ),
        Made::Elsewhere(at, _) => (
            mistakes::BY_ANOTHER_PROCESS,
            at,
            format!(
                "{} was made by another process than the one that {made_that}, which does not descend \
                 from it.",
                call_at(trace, at)
            ),
            "Make the call in the process that starts COMMAND, or in one of its ancestors.",
        ),
        Made::WrongSide(at) => (
            mistakes::IN_ANOTHER_ORDER,
            at,
            format!("{} is there, but at another time than is needed.", call_at(trace, at)),
            "Look at the order of the calls in the trace, and at what each of them finds when it runs.",
        ),
    };
    Some(found(name, cause, remedy.to_owned(), trace, at))
}

/// A program that is not COMMAND ended with a status that says that it has failed, and COMMAND was not
/// started.
pub(crate) fn tool_failed(report: &Report, [saw, _]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    if !is_never_started(saw) || !trace.is_whole() || trace.events.iter().any(Event::starts_command)
    {
        return None;
    }
    let (at, code) = trace.failed_tool()?;
    let cause = format!(
        "A program that yours started ended with status {code}, and COMMAND was not started: {}.",
        trace.shown(at)
    );
    let remedy =
        "Find out why that program fails. If it printed a reason, that is in the output of your \
                  program."
            .to_owned();
    Some(found(mistakes::TOOL_FAILED, cause, remedy, trace, at))
}

fn is_never_started(saw: &Excerpt) -> bool {
    let never = "never started: your program has ended";
    saw.lines.iter().any(|line| line.key == "COMMAND" && line.value == never)
}

/// The program ended with a status that says that something was wrong, but no call that is recorded has
/// failed. A panic has a row of its own.
pub(crate) fn ended_early(report: &Report, [saw, _]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let (at, code) = trace.ended_early().filter(|(_, code)| *code != PANIC)?;
    if !is_never_started(saw) || trace.failed_call().is_some() {
        return None;
    }
    let cause = format!(
        "Your program exited with status {code}, and COMMAND was not started. None of the calls that \
         are recorded has failed."
    );
    let printed: Vec<String> = report.facts("stderr").collect();
    let last = printed.iter().flat_map(|text| text.lines()).rfind(|line| !line.trim().is_empty());
    let remedy = match last {
        Some(line) => format!("Find out why. The last line that your program printed is `{line}`."),
        None => "Find out why, and print the reason before your program exits.".to_owned(),
    };
    Some(found(mistakes::GAVE_UP, cause, remedy, trace, at))
}

/// A flag has made a namespace that the step does not ask for, and COMMAND is in such a one. The two are
/// what the step saw and what it wanted.
pub(crate) fn too_many(report: &Report, [saw, wanted]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let (saw, wanted) = (saw.table.as_deref()?, wanted.table.as_deref()?);
    let (lab, command) = (letters(wanted, "lab")?, letters(wanted, "COMMAND")?);
    let (lab_now, command_now) = (letters(saw, "lab")?, letters(saw, "COMMAND")?);
    let is_added = |at: &usize| command[*at] == lab[*at] && command_now[*at] != lab_now[*at];
    let (at, flag) = (0..lab.len()).filter(is_added).find_map(|kind| {
        let flag = Kind::ALL[kind].flag_name();
        let made = |event: &Event| {
            ["unshare", "clone", "clone3"].contains(&event.call.as_str())
                && event.has_flag(flag)
                && !matches!(event.outcome, Outcome::Error { .. })
        };
        Some((trace.events.iter().rposition(made)?, flag))
    })?;
    let cause = format!(
        "COMMAND is in a namespace that this step does not ask for. {flag} is among the flags of call \
         {at}, which made one of that kind."
    );
    let remedy = format!(
        "Leave out {flag}. Make namespaces of the kinds that the step asks for, and no others."
    );
    Some(found(mistakes::TOO_MANY, cause, remedy, trace, at))
}

/// COMMAND is in a namespace of the lab's where the step asks for a new one, and no call was to make one of that
/// kind.
pub(crate) fn too_few(report: &Report, [saw, wanted]: [&Excerpt; 2]) -> Option<Found> {
    let trace = report.trace.as_ref().filter(|trace| trace.is_whole())?;
    let (saw, wanted) = (saw.table.as_deref()?, wanted.table.as_deref()?);
    let command = letters(wanted, "COMMAND")?;
    let (lab_now, command_now) = (letters(saw, "lab")?, letters(saw, "COMMAND")?);
    let is_new = |kind: usize| {
        let others = wanted.iter().filter(|row| row.name != "COMMAND");
        others.map(|row| row.letters[kind]).all(|letter| letter != command[kind])
    };
    let is_made = |kind: Kind| {
        trace.events.iter().any(|event| {
            let joined = |change: &Change| {
                matches!(change, Change::Joined { namespace, .. } | Change::Children { namespace, .. }
                    if namespace.kind == kind)
            };
            event.has_flag(kind.flag_name()) || event.changes.iter().any(joined)
        })
    };
    // A call that failed may have been the one, whatever its flags.
    let failed = |event: &Event| {
        let moves = event.makes_a_child() || ["unshare", "setns"].contains(&event.call.as_str());
        moves && matches!(event.outcome, Outcome::Error { .. })
    };
    if trace.events.iter().any(failed) {
        return None;
    }
    let kind = (0..command.len())
        .filter(|kind| is_new(*kind) && command_now[*kind] == lab_now[*kind])
        .map(|kind| Kind::ALL[kind])
        .find(|kind| !is_made(*kind))?;
    let flag = kind.flag_name();
    let at = trace.events.iter().rposition(Event::starts_command)?;
    let cause = format!(
        "COMMAND is in the {} namespace in which your program was started. No call of your program has \
         {flag} among its flags.",
        kind.in_words()
    );
    let remedy =
        format!("Pass {flag} as well, to the call that makes the namespaces or to another.");
    Some(found(mistakes::TOO_FEW, cause, remedy, trace, at))
}

/// A call failed and the program went on.
pub(crate) fn ignored(report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    otherwise(trace, Made::Failed(trace.went_on()?), "execve(*")
}

fn failure(trace: &Trace, at: usize) -> Option<String> {
    let error = trace.error_at(at)?;
    Some(format!("Call {at} failed, {error}").trim_end_matches('.').to_owned())
}

/// The letters of the namespaces in a row of a table.
fn letters(rows: &[Row], name: &str) -> Option<[char; 8]> {
    rows.iter().find(|row| row.name == name).map(|row| row.letters)
}

/// A call at the beginning of a sentence.
fn call_at(trace: &Trace, at: usize) -> String {
    let shown = trace.shown(at);
    shown.replacen("call", "Call", 1)
}

fn found(name: &str, cause: String, remedy: String, trace: &Trace, at: usize) -> Found {
    let diagnosis = Diagnosis { mistake: name.to_owned(), cause, remedy, see: String::new() };
    Found { diagnosis, pointer: Some(format!("look at {}", trace.shown(at))) }
}

/// The last line that the program printed about this errno.
fn line_about(report: &Report, trace: &Trace, at: usize) -> Option<String> {
    let Outcome::Error { errno, .. } = trace.events[at].outcome else { return None };
    let text: Vec<String> = report.facts("stderr").collect();
    let mut lines = text.iter().flat_map(|text| text.lines()).rev();
    lines.find(|line| mentions(line, errno)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use trace::Argument;

    use super::*;

    const LETTERS: &str = "      user  mnt  pid  net  uts  ipc  cgroup  time\n";

    fn report(events: Vec<Event>) -> Report {
        let start = Event::new(1, "start", Vec::new(), Outcome::Never, Vec::new());
        let events = [vec![start], events].concat();
        let mut report = Report::default();
        report.trace = Some(Trace { events, complete: true, ..Trace::default() });
        report
    }

    fn unshare(flags: &[&str]) -> Event {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Event::new(1, "unshare", vec![Argument::Flags(flags)], Outcome::Value(0), Vec::new())
    }

    fn table(command: &str) -> Excerpt {
        Excerpt::read(&format!("{LETTERS}lab A A A A A A A A\nCOMMAND {command}"))
    }

    #[test]
    fn a_namespace_too_many_has_a_flag_and_a_member() {
        let name = |flags: &[&str], saw: &str, wanted: &str| {
            too_many(&report(vec![unshare(flags)]), [&table(saw), &table(wanted)])
                .map(|found| found.diagnosis.mistake)
        };
        let (both, one) = ("B A A A B A A A", "A A A A B A A A");
        let too_many = Some(mistakes::TOO_MANY.to_owned());
        assert_eq!(name(&["CLONE_NEWUSER", "CLONE_NEWUTS"], both, one), too_many);
        assert_eq!(name(&["CLONE_NEWUTS"], both, one), None, "something else has made it");
        assert_eq!(name(&["CLONE_NEWUSER"], one, one), None, "COMMAND is not in it");
        assert_eq!(name(&["CLONE_NEWUSER"], both, both), None, "the step asks for it");
    }

    #[test]
    fn what_a_thread_has_made_is_told_of_the_call_that_missed_it() {
        let call =
            |task, name: &str, outcome| Event::new(task, name, Vec::new(), outcome, Vec::new());
        let started = call(1, "start", Outcome::Never);
        let born =
            Change::Task { task: 2, process: 1, parent: Some(1), pids: vec![], namespaces: vec![] };
        let thread = Event { changes: vec![born], ..call(1, "clone3", Outcome::Value(2)) };
        let mount = call(1, "mount", Outcome::Value(0));
        let events = vec![started, thread, Event { task: 2, ..unshare(&["CLONE_NEWUTS"]) }, mount];
        let trace = Trace { events, complete: true, ..Trace::default() };
        let cause = |of: &str| {
            otherwise(&trace, Made::Elsewhere(2, By::Thread), of).unwrap().diagnosis.cause
        };
        assert!(cause("mount*").contains("the one that made call 3."), "{}", cause("mount*"));
        assert!(cause("start*").contains("the one that started COMMAND."), "{}", cause("start*"));
    }

    #[test]
    fn a_namespace_too_few_is_in_no_flags() {
        let path = vec![Argument::Text("/lab/command".to_owned())];
        let command = || Event::new(1, "execve", path.clone(), Outcome::Never, Vec::new());
        let name = |flags: &[&str], saw: &str, wanted: &Excerpt| {
            too_few(&report(vec![unshare(flags), command()]), [&table(saw), wanted])
                .map(|found| (found.diagnosis.mistake, found.diagnosis.remedy))
        };
        let (both, one) = ("B A A A B A A A", "A A A A B A A A");
        let found = name(&["CLONE_NEWUTS"], one, &table(both)).unwrap();
        assert_eq!(found.0, mistakes::TOO_FEW);
        assert!(found.1.contains("CLONE_NEWUSER"), "{}", found.1);
        assert_eq!(name(&["CLONE_NEWUSER"], one, &table(both)), None, "a call had the flag");
        assert_eq!(name(&["CLONE_NEWUTS"], one, &table(one)), None, "the step does not ask for it");
        let target = format!("{LETTERS}lab A A A A A A A A\ntarget {both}\nCOMMAND {both}");
        let joins = Excerpt::read(&target);
        assert_eq!(name(&["CLONE_NEWUTS"], one, &joins), None, "it is to join another's");
        let errno = nix::errno::Errno::EINVAL;
        let failed = Event { outcome: Outcome::Error { errno, why: None }, ..unshare(&["0x20"]) };
        let wrong = report(vec![failed, command()]);
        assert_eq!(too_few(&wrong, [&table(one), &table(both)]), None, "a call had wrong bits");
        let mut cut = report(vec![unshare(&["CLONE_NEWUTS"]), command()]);
        cut.trace.as_mut().unwrap().complete = false;
        assert_eq!(too_few(&cut, [&table(one), &table(both)]), None, "there may be more calls");
    }

    #[test]
    fn a_program_that_ends_without_command_is_quoted() {
        let exit = |code| {
            let ended = Change::Ended { task: 1, how: Exit::Exited(code) };
            Event::new(1, "exit", Vec::new(), Outcome::Never, vec![ended])
        };
        let saw = Excerpt::read("COMMAND: never started: your program has ended");
        let remedy = |events: Vec<Event>, saw: &Excerpt| {
            let mut report = report(events);
            report.aside("stderr", "first\nlast\n");
            let found = ended_early(&report, [saw, &Excerpt::default()]);
            found.map(|found| found.diagnosis.remedy)
        };
        let quoted = "Find out why. The last line that your program printed is `last`.";
        assert_eq!(remedy(vec![exit(1)], &saw).as_deref(), Some(quoted));
        assert_eq!(remedy(vec![exit(0)], &saw), None, "it says that it was right");
        assert_eq!(remedy(vec![exit(101)], &saw), None, "a panic");
        assert_eq!(remedy(vec![exit(1)], &Excerpt::read("exit status: 1")), None);
        let errno = nix::errno::Errno::EPERM;
        let failed = Event { outcome: Outcome::Error { errno, why: None }, ..unshare(&[]) };
        assert_eq!(remedy(vec![failed, exit(1)], &saw), None, "there is a call to point at");
    }

    #[test]
    fn a_panic_after_a_call_that_failed_has_that_call() {
        let ended = |code| {
            let ended = Change::Ended { task: 1, how: Exit::Exited(code) };
            Event::new(1, "exit", Vec::new(), Outcome::Never, vec![ended])
        };
        let errno = nix::errno::Errno::EPERM;
        let failed = || Event { outcome: Outcome::Error { errno, why: None }, ..unshare(&[]) };
        let found = |events: Vec<Event>| panicked(&report(events)).map(|it| it.diagnosis.cause);
        let cause = found(vec![failed(), ended(101)]).unwrap();
        assert!(cause.starts_with("Call 1 failed") && cause.contains("status 101"), "{cause}");
        assert_eq!(found(vec![failed(), ended(1)]), None, "another end");
        assert_eq!(found(vec![unshare(&[]), ended(101)]), None, "nothing has failed");
        assert_eq!(found(vec![failed(), unshare(&[]), ended(101)]), None, "it went on");
    }

    #[test]
    fn a_program_that_failed_is_told_only_where_command_was_not_started() {
        let execve = |path: &str| {
            let path = Argument::Text(path.to_owned());
            Event::new(1, "execve", vec![path], Outcome::Never, Vec::new())
        };
        let ended = Change::Ended { task: 1, how: Exit::Exited(2) };
        let exit = Event::new(1, "exit", Vec::new(), Outcome::Never, vec![ended]);
        let name = |events: &[Event], line: &str| {
            let excerpts = [&Excerpt::read(line), &Excerpt::default()];
            tool_failed(&report(events.to_vec()), excerpts).map(|found| found.diagnosis.mistake)
        };
        let never = "COMMAND: never started: your program has ended";
        let failed = [execve("/bin/ip"), exit.clone()];
        assert_eq!(name(&failed, never), Some(mistakes::TOOL_FAILED.to_owned()));
        assert_eq!(name(&failed, "exit status: 1, not COMMAND's"), None);
        assert_eq!(name(&[execve("/srv/witness"), exit], never), None, "COMMAND has failed");
    }
}
