//! The outcome of a check for machines: JSON Lines and JUnit XML.
//!
//! `--json` prints one object a line. For each step, also for those after the first that failed:
//!
//! ```json
//! {"schema":1,"chapter":"ch02-unshare","step":1,"further":false,"name":"command has a uts namespace of its own","outcome":"failed","wanted":"…","saw":"…","stdout":"…","stderr":"…","mistake":"…","cause":"…","remedy":"…","pointer":"…","skipped":"","seconds":0.031}
//! ```
//!
//! `further` is true for the steps that `--further` adds, without which a chapter is solved.
//!
//! `outcome` is `passed`, `failed`, `cannot` (this machine cannot run the step) or `broken` (the check
//! itself failed). `mistake`, `cause` and `remedy` are empty if no known mistake fits. With `cannot`,
//! `saw` is the refused call, and cause and remedy are about the machine; with `broken`, `saw` is what
//! the check printed. `pointer` is there for the first step that failed: the call of its trace that
//! went wrong. What the compiler prints goes to standard error. A program that does not compile has one
//! object, with step 0; so has one that could not be built, with the outcome `cannot`. Then comes one
//! object for all:
//!
//! ```json
//! {"schema":1,"passed":3,"failed":1,"cannot":0}
//! ```
//!
//! which counts chapters. New fields may come; these stay as they are while `schema` is 1.
//!
//! `--junit FILE` has a `testsuite` for each chapter and a `testcase` for each of the same objects;
//! `cannot` is `skipped` there, and `broken` is `error`.

use std::fmt::Write as _;

use harness::is_unprintable;
use harness::verdict::{Diagnosis, Outcome};

use super::Checked;
use crate::shared::json;

/// One object of `--json`, one `testcase` of `--junit`.
#[derive(Default)]
struct Case {
    step: u32,
    further: bool,
    name: String,
    outcome: Outcome,
    wanted: String,
    saw: String,
    stdout: String,
    stderr: String,
    diagnosis: Diagnosis,
    pointer: String,
    skipped: String,
    seconds: f64,
}

impl Case {
    fn title(&self) -> String {
        let further = if self.further { "further " } else { "" };
        format!("{further}step {}: {}", self.step, self.name)
    }
}

fn cases(checked: &Checked) -> Vec<Case> {
    let compiling = || Case { name: "it compiles".to_owned(), ..Case::default() };
    let mut cases = Vec::new();
    if !checked.compiles {
        cases.push(Case { outcome: Outcome::Failed, ..compiling() });
    } else if let Some(trouble) = &checked.trouble {
        let (cause, remedy) = (trouble.to_string(), trouble.advice().to_owned());
        let diagnosis = Diagnosis { cause, remedy, ..Diagnosis::default() };
        cases.push(Case { outcome: Outcome::Cannot, diagnosis, ..compiling() });
    }
    cases.extend(checked.steps.iter().map(|(step, run)| {
        let verdict = &run.verdict;
        Case {
            step: step.number,
            further: step.further,
            name: step.title.clone(),
            outcome: verdict.outcome,
            wanted: verdict.wanted.to_string(),
            saw: match verdict.outcome {
                Outcome::Broken => run.output.clone(),
                Outcome::Cannot => verdict.refused.clone(),
                Outcome::Passed | Outcome::Failed => verdict.saw.to_string(),
            },
            stdout: verdict.stdout.clone(),
            stderr: verdict.stderr.clone(),
            diagnosis: verdict.diagnosis.clone().unwrap_or_default(),
            pointer: verdict.pointer.clone().unwrap_or_default(),
            skipped: verdict.skipped(),
            seconds: run.seconds,
        }
    }));
    cases
}

pub(crate) fn json(checked: &Checked) -> String {
    let object = |case: Case| {
        json::object([
            ("schema", 1.into()),
            ("chapter", checked.chapter.name.as_str().into()),
            ("step", case.step.into()),
            ("further", case.further.into()),
            ("name", case.name.into()),
            ("outcome", case.outcome.word().into()),
            ("wanted", case.wanted.into()),
            ("saw", case.saw.into()),
            ("stdout", case.stdout.into()),
            ("stderr", case.stderr.into()),
            ("mistake", case.diagnosis.mistake.into()),
            ("cause", case.diagnosis.cause.into()),
            ("remedy", case.diagnosis.remedy.into()),
            ("pointer", case.pointer.into()),
            ("skipped", case.skipped.into()),
            ("seconds", ((case.seconds * 1e3).round() / 1e3).into()),
        ]) + "\n"
    };
    cases(checked).into_iter().map(object).collect()
}

pub(crate) fn json_summary(all: &[Checked]) -> String {
    let count = |code: u8| all.iter().filter(|checked| checked.code() == code).count();
    let (passed, cannot) = (count(0), count(3));
    let failed = all.len() - passed - cannot;
    let counts = [("schema", 1), ("passed", passed), ("failed", failed), ("cannot", cannot)];
    json::object(counts.map(|(key, count)| (key, count.into()))) + "\n"
}

pub(crate) fn junit(all: &[Checked]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for checked in all {
        let chapter = escaped(&checked.chapter.name);
        let cases = cases(checked);
        let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
        _ = writeln!(
            out,
            "  <testsuite name=\"{chapter}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            cases.len(),
            count(Outcome::Failed),
            count(Outcome::Broken),
            count(Outcome::Cannot)
        );
        for case in &cases {
            _ = writeln!(
                out,
                "    <testcase classname=\"{chapter}\" name=\"{}\" time=\"{:.3}\">{}</testcase>",
                escaped(&case.title()),
                case.seconds,
                result(case)
            );
        }
        out += "  </testsuite>\n";
    }
    out + "</testsuites>\n"
}

/// What a `testcase` holds.
fn result(case: &Case) -> String {
    let Diagnosis { mistake, cause, remedy, .. } = &case.diagnosis;
    let summary = match (mistake.as_str(), cause.as_str()) {
        ("", "") => format!("not so: {}", case.name),
        ("", cause) => cause.to_owned(),
        (mistake, _) => mistake.to_owned(),
    };
    let mut body = String::new();
    for (title, text) in [
        ("wanted", &case.wanted),
        ("saw", &case.saw),
        ("stdout", &case.stdout),
        ("stderr", &case.stderr),
        ("cause", cause),
        ("remedy", remedy),
    ] {
        if !text.is_empty() {
            body += &format!("{title}:\n{text}\n");
        }
    }
    let tag = match case.outcome {
        Outcome::Passed => return String::new(),
        Outcome::Cannot => "skipped",
        Outcome::Broken => "error",
        Outcome::Failed => "failure",
    };
    format!("<{tag} message=\"{}\">{}</{tag}>", escaped(&summary), escaped(&body))
}

/// Text for XML 1.0, which does not allow most control characters, not even escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push('\t'),
            other if is_unprintable(other) || ['\u{fffe}', '\u{ffff}'].contains(&other) => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_xml() {
        assert_eq!(
            escaped("<a & \"b\">\u{1b}[1m\n"),
            "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}[1m&#10;"
        );
    }
}
