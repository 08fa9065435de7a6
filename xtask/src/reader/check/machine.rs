//! The outcome of a check for machines: JSON Lines and JUnit XML.
//!
//! `--json` prints one object a line. For each step, also for those after the first that failed:
//!
//! ```json
//! {"schema":1,"chapter":"ch02-unshare","step":1,"name":"command has a uts namespace of its own","outcome":"failed","wanted":"…","saw":"…","stdout":"…","stderr":"…","mistake":"…","cause":"…","remedy":"…","pointer":"…","skipped":"","seconds":0.031}
//! ```
//!
//! `outcome` is `passed`, `failed`, `cannot` (this machine) or `broken` (the check itself). `mistake`,
//! `cause` and `remedy` are empty where no known mistake fits; under `cannot` they are the machine's,
//! under `broken`, `saw` is what the check printed. `pointer` is about the first step that failed: the
//! call of its trace that went wrong. What the compiler says goes to standard error. A
//! program that does not compile has one object, with step 0; so has one that could not be built, and
//! its outcome is `cannot`. Then one object for all:
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

use harness::acts;

use super::Checked;
use crate::shared::json::quoted;
use crate::shared::steps::Outcome;

/// One object of `--json`, one `testcase` of `--junit`.
#[derive(Default)]
struct Case<'a> {
    step: u32,
    name: &'a str,
    outcome: &'static str,
    wanted: &'a str,
    saw: &'a str,
    stdout: &'a str,
    stderr: &'a str,
    mistake: &'a str,
    cause: String,
    remedy: &'a str,
    pointer: &'a str,
    skipped: &'a str,
    seconds: f64,
}

fn cases(checked: &Checked) -> Vec<Case<'_>> {
    let compiling = Case { name: "it compiles", ..Case::default() };
    let mut cases = Vec::new();
    if !checked.compiles {
        cases.push(Case { outcome: "failed", ..compiling });
    } else if let Some(trouble) = &checked.trouble {
        let (cause, remedy) = (trouble.to_string(), trouble.advice());
        cases.push(Case { outcome: "cannot", cause, remedy, ..compiling });
    }
    cases.extend(checked.steps.iter().map(|(step, run)| {
        let verdict = &run.verdict;
        let broken = run.outcome == Outcome::Broken;
        Case {
            step: step.number,
            name: &step.title,
            outcome: run.outcome.word(),
            wanted: &verdict.wanted,
            saw: if broken { &run.output } else { &verdict.saw },
            stdout: &verdict.stdout,
            stderr: &verdict.stderr,
            mistake: &verdict.mistake,
            cause: verdict.cause.clone(),
            remedy: &verdict.remedy,
            pointer: &verdict.pointer,
            skipped: &verdict.skipped,
            seconds: run.seconds,
        }
    }));
    cases
}

pub(crate) fn json(checked: &Checked) -> String {
    let chapter = quoted(&checked.chapter.name);
    let mut out = String::new();
    for case in cases(checked) {
        _ = write!(out, "{{\"schema\":1,\"chapter\":{chapter},\"step\":{}", case.step);
        for (key, value) in [
            ("name", case.name),
            ("outcome", case.outcome),
            ("wanted", case.wanted),
            ("saw", case.saw),
            ("stdout", case.stdout),
            ("stderr", case.stderr),
            ("mistake", case.mistake),
            ("cause", &case.cause),
            ("remedy", case.remedy),
            ("pointer", case.pointer),
            ("skipped", case.skipped),
        ] {
            _ = write!(out, ",\"{key}\":{}", quoted(value));
        }
        _ = writeln!(out, ",\"seconds\":{:.3}}}", case.seconds);
    }
    out
}

pub(crate) fn json_summary(all: &[Checked]) -> String {
    let count = |code: u8| all.iter().filter(|checked| checked.code() == code).count();
    let (passed, cannot) = (count(0), count(3));
    let failed = all.len() - passed - cannot;
    format!("{{\"schema\":1,\"passed\":{passed},\"failed\":{failed},\"cannot\":{cannot}}}\n")
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
            count("failed"),
            count("broken"),
            count("cannot")
        );
        for case in &cases {
            _ = writeln!(
                out,
                "    <testcase classname=\"{chapter}\" name=\"{}\" time=\"{:.3}\">{}</testcase>",
                escaped(&format!("step {}: {}", case.step, case.name)),
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
    let summary = match (case.mistake, case.cause.as_str()) {
        ("", "") => format!("not so: {}", case.name),
        ("", cause) => cause.to_owned(),
        (mistake, _) => mistake.to_owned(),
    };
    let mut body = String::new();
    for (title, text) in [
        ("wanted", case.wanted),
        ("saw", case.saw),
        ("stdout", case.stdout),
        ("stderr", case.stderr),
        ("cause", &case.cause),
        ("remedy", case.remedy),
    ] {
        if !text.is_empty() {
            body += &format!("{title}:\n{text}\n");
        }
    }
    let tag = match case.outcome {
        "passed" => return String::new(),
        "cannot" => "skipped",
        "broken" => "error",
        _ => "failure",
    };
    format!("<{tag} message=\"{}\">{}</{tag}>", escaped(&summary), escaped(&body))
}

/// Text for XML 1.0, which has no place for most control characters, not even escaped.
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
            other if acts(other) || ['\u{fffe}', '\u{ffff}'].contains(&other) => {
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
