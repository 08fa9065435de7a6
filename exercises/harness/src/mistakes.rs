//! The classic mistakes, which are tables of data (`exercises/chNN-slug/mistakes.toml`), and their
//! diagnosis.
//!
//! ```toml
//! [[mistake]]
//! name = "the host name is set before the namespace is left"
//! edit = [{ find = "…", replace = "…" }]          # how to make it, from the solution
//! when = { "lab afterwards" = "host name is NAME" } # how it shows, in facts of the report
//! cause = "…"
//! remedy = "…"
//! see = "a-heading-of-the-page"                     # or "chNN-other.md#heading", of another page of the chapter
//! call = "unshare(*"                                # the call of the trace it is about, or
//! missing = { call = "sethostname()", after = "unshare(*" } # the one that is not there; or `before`
//! ```
//!
//! `call` may be a list, of which the last call is meant that matches any. `call` and `missing` may both be
//! left out: then the last call that failed is pointed at. Where the
//! facts alone do not prove the cause, the recorded calls have to:
//!
//! ```toml
//! story = [{ call = "sethostname(*", by = "program", result = "ok", before = "unshare(*" }, { none = "mount(*" }]
//! ```
//!
//! All of them must hold. A call may be a list (any of them). `by` is `program`, `thread` (another one)
//! or `child`; `result` is `ok`, `failed` or an errno; with `none` there is no such call. `before` and `after`
//! are about any task's calls. `same = "mount(*"` is a call that the task made earlier that made the last call of
//! that kind; with `reaches` an ancestor may have made it as well, in time for the task to inherit what it did.
//! What is random in a run may have its role's name: `mount("SHARE", *`.
//!
//! A row with `further = true` is about the steps without which the chapter is solved: its edit is for the
//! solution's `further.rs`, no page shows it, and only those steps look at it.
//!
//! A `when` value may be a list (any of them) and may hold `*` (any text). All keys must fit. Where
//! a mistake shows in several ways, `when` is a list of such tables. The first row that fits is the
//! diagnosis, so a table goes from the particular to the general.

use std::fmt;

use toml::de::{DeTable, DeValue};

use crate::report::{Excerpt, Line, Report};
use trace::{By, Pointer, Proof, Side, Trace, glob};

/// One replacement in the solution's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub find: String,
    pub replace: String,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub name: String,
    /// Whether it is a mistake in what the steps that go further ask for.
    pub further: bool,
    /// How to make it from the chapter's solution. The general table's edits are for chapter 2's.
    pub edits: Vec<Edit>,
    /// How it shows: in all facts of one of these. A fact has one of these values.
    pub when: Vec<Vec<(String, Vec<String>)>>,
    /// What the recorded calls have to prove.
    pub story: Vec<Proof>,
    pub cause: String,
    pub remedy: String,
    /// A heading's anchor in the chapter's page, or `chNN-other.md#anchor` in another page of the chapter;
    /// empty in the general table.
    pub see: String,
    pub pointer: Option<Pointer>,
}

/// What is wrong with a table, and where.
#[derive(Debug)]
pub struct TableError(String);

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TableError {}

/// The rows that every chapter shares: what may go wrong in any program.
pub fn general() -> Vec<Mistake> {
    parse(include_str!("mistakes.toml"), false).expect("a test reads it")
}

/// Reads a chapter's table.
///
/// # Errors
///
/// What is not TOML, missing, or unknown: the first of these.
pub fn of_chapter(text: &str) -> Result<Vec<Mistake>, TableError> {
    parse(text, true)
}

/// Reads a teacher's own table for a chapter. Its rows need neither an `edit` nor a heading to `see`.
///
/// # Errors
///
/// As for [`of_chapter`].
pub fn private(text: &str) -> Result<Vec<Mistake>, TableError> {
    parse(text, false)
}

fn parse(text: &str, of_chapter: bool) -> Result<Vec<Mistake>, TableError> {
    let table = DeTable::parse(text)
        .map_err(|error| TableError(error.to_string().trim_end().to_owned()))?;
    let rows = table.get_ref().get("mistake").map(|rows| rows.get_ref());
    let Some(DeValue::Array(rows)) = rows else {
        return Err(TableError("no [[mistake]] in it".into()));
    };
    rows.iter()
        .enumerate()
        .map(|(number, row)| read(row.get_ref(), number + 1, of_chapter))
        .collect()
}

fn read(row: &DeValue, number: usize, of_chapter: bool) -> Result<Mistake, TableError> {
    let error = |what: &str| TableError(format!("mistake {number}: {what}"));
    let row = row.as_table().ok_or_else(|| error("not a table"))?;
    const KEYS: [&str; 10] =
        ["name", "further", "edit", "when", "story", "cause", "remedy", "see", "call", "missing"];
    if let Some((key, _)) = row.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
        return Err(error(&format!("unknown key `{}`", key.get_ref())));
    }
    let text = |key: &str| {
        let text = row.get(key).and_then(|value| value.get_ref().as_str());
        text.map(|text| text.trim().to_owned()).ok_or_else(|| error(&format!("no text `{key}`")))
    };
    let further = match row.get("further").map(|value| value.get_ref()) {
        None => false,
        Some(value) => {
            value.as_bool().ok_or_else(|| error("`further` is neither true nor false"))?
        }
    };
    let mut edits = Vec::new();
    let listed = row.get("edit").and_then(|edits| edits.get_ref().as_array());
    if of_chapter || listed.is_some() {
        for edit in listed.ok_or_else(|| error("no list `edit`"))?.iter() {
            let part = |key: &str| {
                let part =
                    edit.get_ref().as_table().and_then(|edit| edit.get(key)?.get_ref().as_str());
                part.map(str::to_owned).ok_or_else(|| error(&format!("an edit without `{key}`")))
            };
            edits.push(Edit { find: part("find")?, replace: part("replace")? });
        }
    }
    let facts = |table: &DeValue| {
        let facts = table.as_table().ok_or_else(|| error("no table `when`"))?;
        let read = facts.iter().map(|(key, value)| {
            let values = strings(value.get_ref())
                .ok_or_else(|| error("`when` holds something else than text"))?;
            Ok((key.get_ref().to_string(), values))
        });
        read.collect::<Result<Vec<_>, TableError>>()
    };
    let when = match row.get("when").map(|when| when.get_ref()) {
        Some(DeValue::Array(ways)) => {
            ways.iter().map(|way| facts(way.get_ref())).collect::<Result<_, _>>()?
        }
        Some(way) => vec![facts(way)?],
        None => return Err(error("no table `when`")),
    };
    let story = match row.get("story").map(|story| story.get_ref()) {
        None => Vec::new(),
        Some(DeValue::Array(proofs)) => {
            let read = proofs.iter().map(|proof| read_proof(proof.get_ref()));
            read.collect::<Result<_, _>>().map_err(|what| error(&what))?
        }
        Some(_) => return Err(error("`story` is no list")),
    };
    let pointer = match (row.get("call"), row.get("missing").map(|value| value.get_ref())) {
        (None, None) => None,
        (Some(call), None) => {
            let calls = strings(call.get_ref()).ok_or_else(|| error("`call` is no text"))?;
            Some(Pointer::Call(calls))
        }
        (None, Some(DeValue::Table(missing))) => {
            let part = |key: &str| missing.get(key).and_then(|value| value.get_ref().as_str());
            let (side, of) = match (part("before"), part("after")) {
                (Some(of), None) => (Side::Before, of),
                (None, Some(of)) => (Side::After, of),
                _ => return Err(error("`missing` needs a `before` or an `after`")),
            };
            let call = part("call").ok_or_else(|| error("`missing` needs a `call`"))?;
            Some(Pointer::Missing { call: call.to_owned(), side, of: of.to_owned() })
        }
        _ => return Err(error("either a text `call` or a table `missing`")),
    };
    Ok(Mistake {
        name: text("name")?,
        further,
        edits,
        when,
        story,
        cause: text("cause")?,
        remedy: text("remedy")?,
        see: if of_chapter || row.get("see").is_some() { text("see")? } else { String::new() },
        pointer,
    })
}

/// A text, or several.
fn strings(value: &DeValue) -> Option<Vec<String>> {
    match value {
        DeValue::Array(items) => {
            items.iter().map(|item| Some(item.get_ref().as_str()?.to_owned())).collect()
        }
        value => value.as_str().map(|text| vec![text.to_owned()]),
    }
}

fn read_proof(value: &DeValue) -> Result<Proof, String> {
    let table = value.as_table().ok_or("`story` holds something else than tables")?;
    let mut proof = Proof::default();
    for (key, value) in table {
        let texts = strings(value.get_ref()).ok_or("`story` holds something else than text")?;
        let text = texts.first().cloned().unwrap_or_default();
        match key.get_ref().as_ref() {
            "call" => proof.call = texts,
            "none" => (proof.call, proof.none) = (texts, true),
            "by" => {
                proof.by =
                    Some(By::parse(&text).ok_or_else(|| format!("`by` cannot be `{text}`"))?);
            }
            "result" => proof.result = Some(text),
            "before" => proof.before = Some(text),
            "after" => proof.after = Some(text),
            "same" => proof.same = Some(text),
            "reaches" => proof.reaches = Some(text),
            other => return Err(format!("unknown key `{other}` in `story`")),
        }
    }
    if proof.call.is_empty() { Err("`story` without `call`".into()) } else { Ok(proof) }
}

/// Findings that state what the recorded calls show, and name no mistake.
pub(crate) const BY_THE_CALLS: [&str; 9] = [
    GAVE_UP,
    ENDED,
    KILLED,
    TOOL_FAILED,
    IGNORED,
    BY_ANOTHER_THREAD,
    BY_ANOTHER_PROCESS,
    OF_ANOTHER_CHILD,
    IN_ANOTHER_ORDER,
];
pub(crate) const GAVE_UP: &str = "your program gave up";
pub(crate) const ENDED: &str = "a process ended after a call that failed";
pub(crate) const KILLED: &str = "a child was killed before COMMAND";
pub(crate) const TOOL_FAILED: &str = "a program that yours started has failed";
pub(crate) const IGNORED: &str = "an error was ignored";
pub(crate) const BY_ANOTHER_THREAD: &str = "another thread made the call";
pub(crate) const BY_ANOTHER_PROCESS: &str = "another process made the call";
pub(crate) const OF_ANOTHER_CHILD: &str = "COMMAND does not come from the new child";
/// The general row that stands before all others, and the fact by which it is known.
pub(crate) const HAS_A_LIMIT: &str = "the wait has a limit";
pub(crate) const GAVE_UP_WAITING: &str = "your program has given up waiting";
/// Findings of the calls that do name a mistake.
pub(crate) const WENT_BACK: &str = "the program goes back before COMMAND";
pub(crate) const FIRST_ENDED: &str = "PID 1 ends too early";
pub(crate) const ENDED_TOO_EARLY: &str = "the program ends before its child has started COMMAND";
pub(crate) const TOO_FEW: &str = "a namespace that the step asks for is not made";
pub(crate) const TOO_MANY: &str = "a namespace that the step does not ask for";
pub(crate) const IN_ANOTHER_ORDER: &str = "the calls are in another order";

/// Whether a diagnosis of this name states what the recorded calls show, and names no mistake.
pub fn is_told_by_the_calls(name: &str) -> bool {
    BY_THE_CALLS.contains(&name)
}

/// What went wrong, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The name of a classic mistake; empty where this machine is the cause.
    pub mistake: String,
    pub cause: String,
    pub remedy: String,
    /// An anchor in the chapter's page, or empty.
    pub see: String,
}

/// A diagnosis, and the place in the trace that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub diagnosis: Diagnosis,
    pub pointer: Option<String>,
}

impl Mistake {
    /// Whether the report has all facts of one of the row's ways.
    pub fn fits(&self, report: &Report) -> bool {
        let so = |(key, wanted): &(String, Vec<String>)| {
            let is = |fact: &str| wanted.iter().any(|pattern| glob(pattern, fact));
            match key.as_str() {
                "stderr" => errors(report).iter().any(|error| is(error)),
                key => report.facts(key).any(|fact| is(&fact)),
            }
        };
        self.when.iter().any(|facts| facts.iter().all(so))
    }

    /// Whether a step with this excerpt has looked at what the row is about. A general row says nothing
    /// of what is left behind, nor of COMMAND's status, where a step does not ask for it, nor of that status
    /// where there was no COMMAND.
    pub fn is_asked(&self, saw: &Excerpt, wanted: &Excerpt) -> bool {
        let differs = |key: &str| {
            let seen = saw.lines.iter().find(|line| line.key == key);
            seen.is_some_and(|line| !wanted.lines.contains(line))
        };
        // What the step wants is no mistake in it, such as a mount in the lab.
        let wants = |key: &str, values: &[String]| {
            let is_so = |line: &&Line| line.key == key;
            let wanted = wanted.lines.iter().find(is_so);
            wanted.is_some_and(|line| values.iter().any(|value| glob(value, &line.value)))
        };
        self.when.iter().any(|facts| {
            facts.iter().all(|(key, values)| match key.as_str() {
                "lab afterwards" | "left behind" => differs(key) && !wants(key, values),
                "exit status"
                    if values
                        .iter()
                        .any(|value| value.contains("COMMAND") || value.starts_with("0,")) =>
                {
                    differs("exit status") && !differs("COMMAND")
                }
                _ => true,
            })
        })
    }

    /// Whether nothing that was recorded contradicts the row. Without a recording, no row is proven that
    /// is about calls that no process made.
    pub fn is_proven(&self, report: &Report) -> bool {
        match &report.trace {
            Some(trace) => {
                let has_place = self.pointer.as_ref().is_none_or(|at| trace.supports(at));
                has_place && self.story.iter().all(|proof| trace.proves(proof))
            }
            None => self.story.is_empty() && !matches!(self.pointer, Some(Pointer::Missing { .. })),
        }
    }

    /// The row as a diagnosis.
    pub fn found(&self, report: &Report) -> Found {
        let Mistake { name: mistake, cause, remedy, see, .. } = self.clone();
        let pointer = report.trace.as_ref().and_then(|trace| trace.point(self.pointer.as_ref()));
        Found { diagnosis: Diagnosis { mistake, cause, remedy, see }, pointer }
    }
}

/// What a pattern for `stderr` may match: each line that the program printed. If the trace shows after
/// which call the program gave up, that call alone, with its errno.
fn errors(report: &Report) -> Vec<String> {
    let trace = report.trace.as_ref();
    if let Some(gave_up) = trace.and_then(|trace| trace.error_at(trace.gave_up()?)) {
        return vec![gave_up];
    }
    let printed = report.facts("stderr").collect::<Vec<_>>();
    let lines = printed.iter().flat_map(|text| text.lines()).map(str::to_owned);
    let lines = lines.chain(printed.iter().filter_map(|text| chain(text)));
    // A program need not print which of its calls failed.
    lines.chain(trace.and_then(Trace::failed_call)).collect()
}

/// The error that a `main` has returned which ends in an `anyhow::Result`, on one line. The call is in the
/// first line of what it prints, and the errno is in the last.
fn chain(text: &str) -> Option<String> {
    let (before, causes) = text.split_once("\nCaused by:\n")?;
    let error = before.trim_end().lines().last()?.trim_start_matches("Error: ");
    let causes = causes.lines().map_while(|line| line.strip_prefix("    ")).map(|line| {
        let line = line.trim();
        // They are numbered if there are several.
        line.split_once(": ").filter(|(at, _)| at.parse::<u8>().is_ok()).map_or(line, |(_, it)| it)
    });
    Some([error].into_iter().chain(causes).collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_main_returns_is_one_line() {
        let one = "hello\nError: setgid\n\nCaused by:\n    EINVAL: Invalid argument\n";
        assert_eq!(chain(one).as_deref(), Some("setgid: EINVAL: Invalid argument"));
        let two = "Error: a\n\nCaused by:\n    0: b\n    1: EPERM: c\n\nand more";
        assert_eq!(chain(two).as_deref(), Some("a: b: EPERM: c"));
        assert_eq!(chain("setgid: EINVAL\nCaused by nothing"), None);
    }

    #[test]
    fn what_a_step_wants_is_no_mistake_in_it() {
        let rows = general();
        let row = rows.iter().find(|row| row.name == "a mount is visible in the lab").unwrap();
        let asked = |saw: &str, wanted: &str| {
            let [saw, wanted] = [saw, wanted].map(|value| format!("lab afterwards: {value}"));
            row.is_asked(&Excerpt::read(&saw), &Excerpt::read(&wanted))
        };
        assert!(asked("tmpfs on /mnt is mounted", "unchanged"));
        assert!(!asked("proc on PATH is mounted", "nsfs on PATH is mounted"));
    }

    #[test]
    fn a_status_that_a_step_does_not_ask_for_is_no_mistake_in_it() {
        let rows = general();
        let row = rows.iter().find(|row| row.name == "the exit status is not COMMAND's").unwrap();
        let asked =
            |saw: &str, wanted: &str| row.is_asked(&Excerpt::read(saw), &Excerpt::read(wanted));
        assert!(asked("exit status: 1, not COMMAND's", "exit status: COMMAND's"));
        assert!(!asked("/proc of COMMAND: is the lab's", "/proc of COMMAND: shows its own"));
        let never = "COMMAND: never started\nexit status: 1, not COMMAND's";
        assert!(!asked(never, "exit status: COMMAND's"));
    }

    #[test]
    fn the_general_table_reads() {
        assert!(general().len() > 3);
    }

    #[test]
    fn a_broken_table_says_what_is_wrong() {
        for (text, wrong) in [
            ("mistake = 1", "no [[mistake]]"),
            ("[[mistake]]\nname = 'x'", "mistake 1: no list `edit`"),
            ("[[mistake]]\nnmae = 'x'", "mistake 1: unknown key `nmae`"),
            ("[[mistake]]\nedit = []\nwhen = { uts = 1 }", "something else than text"),
            ("[[mistake]]\nedit = []\nwhen = {}\nmissing = {}", "`missing` needs a `before`"),
            ("[[mistake]]\nfurther = 1", "`further` is neither true nor false"),
            ("[[mistake]]\nedit = []\nwhen = {}\ncall = ''\nmissing = 1", "either a text"),
            ("[[mistake", "TOML parse error"),
        ] {
            let error = of_chapter(text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text:?} gave {error:?}");
        }
    }
}
