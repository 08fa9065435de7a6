//! What a check says: to a reader in words, to `cargo xtask` as a small TOML file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use toml::de::DeTable;

use crate::doctor::Advice;
use crate::mistakes::{self, Mistake};
use crate::report::Part;
use lab::sandbox::SetupError;

/// Names the file that a check writes its verdict to, for whoever runs it.
pub const FILE: &str = "NAMESPACES_BY_HAND_VERDICT";

/// Names the file that a check writes the trace of its last run to. Recording costs time: whoever
/// runs a check asks for it when the check has failed.
pub const TRACE: &str = "NAMESPACES_BY_HAND_TRACE";

pub(crate) fn wants_a_trace() -> bool {
    env::var_os(TRACE).is_some()
}

/// One step's outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `passed`, `failed`, or `cannot` where this machine could not run the check.
    pub outcome: String,
    /// What the kernel saw, and what the step asks for.
    pub saw: String,
    pub wanted: String,
    /// What the program printed.
    pub stdout: String,
    pub stderr: String,
    /// The diagnosis: empty where none fits.
    pub mistake: String,
    pub cause: String,
    pub remedy: String,
    /// An anchor in the chapter's page.
    pub see: String,
    /// The call of the trace that went wrong, or between which two one is missing; empty without
    /// a trace.
    pub pointer: String,
    /// What this machine could not look at, and why: empty where all was seen.
    pub skipped: String,
}

impl Verdict {
    fn fields(&mut self) -> [(&'static str, &mut String); 11] {
        [
            ("outcome", &mut self.outcome),
            ("saw", &mut self.saw),
            ("wanted", &mut self.wanted),
            ("stdout", &mut self.stdout),
            ("stderr", &mut self.stderr),
            ("mistake", &mut self.mistake),
            ("cause", &mut self.cause),
            ("remedy", &mut self.remedy),
            ("see", &mut self.see),
            ("pointer", &mut self.pointer),
            ("skipped", &mut self.skipped),
        ]
    }

    /// Reads what a check has written. `None` where it wrote nothing, or not to its end.
    pub fn read(file: &Path) -> Option<Verdict> {
        Verdict::from_toml(&fs::read_to_string(file).ok()?)
    }

    pub(crate) fn from_toml(text: &str) -> Option<Verdict> {
        let table = DeTable::parse(text).ok()?;
        let mut verdict = Verdict::default();
        for (key, field) in verdict.fields() {
            *field = table.get_ref().get(key)?.get_ref().as_str()?.to_owned();
        }
        Some(verdict)
    }

    pub(crate) fn into_toml(mut self) -> String {
        let lines = self.fields().map(|(key, value)| format!("{key} = {}\n", quoted(value)));
        lines.concat()
    }

    fn write(self) {
        if let Some(file) = env::var_os(FILE) {
            // Whoever asked finds no file, and says that there is no verdict.
            _ = fs::write(file, self.into_toml());
        }
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control.is_control() => _ = write!(quoted, "\\u{:04x}", control as u32),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Called by `assert_report!` before insta compares: keeps the verdict, and tells a reader what
/// the mismatch that is about to be shown means.
///
/// Whoever asked for the verdict ([`FILE`]) has it then and shows it its own way: the answer is
/// `false`, insta need not compare again. (It would start rustfmt to show a mismatch, which takes
/// longer than all the rest, and it wants a checkout that can be written to.)
#[doc(hidden)]
pub fn compare(part: &Part, wanted: &str, package: &str) -> bool {
    let report = &part.report;
    let (saw, wanted) = (dedented(&part.text), dedented(wanted));
    let fact = |key: &str| report.fact(key).unwrap_or_default();
    let mut verdict = Verdict {
        outcome: "passed".into(),
        stdout: fact("stdout"),
        stderr: fact("stderr"),
        skipped: report.skipped.join("; "),
        ..Verdict::default()
    };
    if !verdict.skipped.is_empty() {
        println!("skipped: {}", verdict.skipped);
    }
    if saw != wanted {
        verdict.outcome = "failed".into();
        let (own, general) = (of_package(package), mistakes::general());
        let mistake = mistakes::diagnose(own.iter().chain(&general), report);
        if let Some(trace) = &report.trace {
            let pointer = trace.point(mistake.and_then(|mistake| mistake.pointer.as_ref()));
            verdict.pointer = report.by_role(&pointer.unwrap_or_default());
            if let Some(file) = env::var_os(TRACE) {
                // Whoever asked finds no file, and says nothing of it.
                _ = fs::write(file, trace.to_json_lines());
            }
        }
        if let Some(mistake) = mistake {
            let Mistake { name, cause, remedy, see, .. } = mistake.clone();
            eprintln!("\nthis looks like: {name}\n{cause}\nhelp: {remedy}");
            (verdict.mistake, verdict.cause, verdict.remedy, verdict.see) =
                (name, cause, remedy, see);
        }
        if !verdict.stderr.is_empty() {
            eprintln!("\nyour program said:\n{}", verdict.stderr);
        }
    }
    (verdict.saw, verdict.wanted) = (saw, wanted);
    let (asked, failed) = (env::var_os(FILE).is_some(), verdict.outcome == "failed");
    verdict.write();
    assert!(!(asked && failed), "failed: the verdict is in ${FILE}");
    !asked
}

/// The table of the chapter whose check runs: the exercise's, for its solution too.
fn of_package(package: &str) -> Vec<Mistake> {
    let chapter = package.strip_suffix("-solution").unwrap_or(package);
    let file = exercises().join(chapter).join("mistakes.toml");
    let Ok(text) = fs::read_to_string(&file) else { return Vec::new() };
    mistakes::of_chapter(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The folder `exercises` of this checkout.
pub fn exercises() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the harness lies in exercises")
        .to_owned()
}

/// An inline snapshot as insta reads it: without the indentation that all its lines share, and
/// without blank lines around it.
pub(crate) fn dedented(text: &str) -> String {
    // In characters: some white space takes more bytes than one.
    let indent = |line: &str| line.chars().take_while(|it| it.is_whitespace()).count();
    let written = text.lines().filter(|line| !line.trim().is_empty());
    let shared = written.map(indent).min().unwrap_or(0);
    let from = |line: &str| line.char_indices().nth(shared).map_or(line.len(), |(at, _)| at);
    let lines = text.lines().map(|line| line[from(line)..].trim_end());
    lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

/// Ends a check that never began.
#[track_caller]
pub(crate) fn could_not_check(error: &SetupError, advice: &Advice) -> ! {
    let verdict = Verdict {
        outcome: "cannot".into(),
        saw: error.to_string(),
        cause: advice.cause.clone(),
        remedy: advice.remedy.clone(),
        ..Verdict::default()
    };
    verdict.write();
    panic!(
        "could not check: this machine refused the sandbox (your program has not run)\n{error}\n{}\nhelp: {}",
        advice.cause, advice.remedy
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_loses_its_indentation() {
        assert_eq!(dedented("\n        a  b\n    lab  A\n    "), "    a  b\nlab  A");
        assert_eq!(dedented("one line"), "one line");
        assert_eq!(dedented("\n    one\n\n    two\n"), "one\n\ntwo");
        assert_eq!(dedented(" one\n\u{3000}two"), "one\ntwo");
    }

    #[test]
    fn any_text_survives_the_file() {
        let text = "a \"quoted\" \\ line\nanother\twith \u{7} and größer";
        let toml = format!("text = {}", quoted(text));
        let table = DeTable::parse(&toml).unwrap();
        assert_eq!(table.get_ref()["text"].get_ref().as_str(), Some(text));
    }
}
