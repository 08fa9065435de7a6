//! What the recorded calls of a run say by themselves, where no row of a table of mistakes is proven.
//!
//! Each finding states what the trace shows, and claims no more.

use trace::{By, Made, Outcome, Pointer, Trace, signal_name};

use crate::mistakes::{self, Diagnosis, Found, Mistake};
use crate::report::{Report, mentions};

/// The program ended after a call that had failed, and had executed nothing yet.
pub(crate) fn gave_up(report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    let at = trace.gave_up()?;
    let cause = format!("{}. After that your program started nothing more.", failure(trace, at)?);
    let remedy = match line_about(report, trace, at) {
        Some(line) => format!(
            "Find out why that call fails. In what your program printed it is the line `{line}`."
        ),
        None => "Find out why that call fails. Print the call and its errno, so that you see it \
                 without the recorder, too."
            .to_owned(),
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
        Pointer::Missing { call, side, of } => trace.made(call, *side, of),
        Pointer::Call(_) => None,
    });
    missing.find_map(|made| otherwise(trace, made))
}

fn otherwise(trace: &Trace, made: Made) -> Option<Found> {
    let (name, at, cause, remedy) = match made {
        Made::Never | Made::There => return None,
        Made::Failed(at) => (
            mistakes::IGNORED,
            at,
            format!("{}, and your program went on.", failure(trace, at)?),
            "Handle the result of that call: report the error and stop. Then find out why it fails.",
        ),
        Made::Elsewhere(at, By::Thread) => (
            mistakes::BY_ANOTHER_THREAD,
            at,
            format!(
                "{} was made by another thread than the one that started COMMAND. The call concerns \
                 the thread that makes it.",
                trace.shown(at)
            ),
            "Make the call in the thread that starts COMMAND.",
        ),
        Made::Elsewhere(at, _) => (
            mistakes::BY_ANOTHER_PROCESS,
            at,
            format!(
                "{} was made by another process than the one that started COMMAND, and COMMAND does \
                 not descend from it.",
                trace.shown(at)
            ),
            "Make the call in the process that starts COMMAND, or in one of its ancestors.",
        ),
        Made::WrongSide(at) => (
            mistakes::IN_ANOTHER_ORDER,
            at,
            format!("{} is there, but at another time than is needed.", trace.shown(at)),
            "Look at the order of the calls in the trace, and at what each of them finds when it runs.",
        ),
    };
    Some(found(name, cause, remedy.to_owned(), trace, at))
}

/// A call failed and the program went on.
pub(crate) fn ignored(report: &Report) -> Option<Found> {
    let trace = report.trace.as_ref()?;
    otherwise(trace, Made::Failed(trace.went_on()?))
}

fn failure(trace: &Trace, at: usize) -> Option<String> {
    let error = trace.error_at(at)?;
    Some(format!("Call {at} failed, {error}").trim_end_matches('.').to_owned())
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
