//! The outcome of a check for machines: JSON Lines and JUnit XML.
//!
//! `--json` prints one object a line. For each step that was run:
//!
//! ```json
//! {"schema":1,"chapter":"ch02-unshare","step":1,"name":"command has a uts namespace of its own","outcome":"failed","wanted":"…","saw":"…","stdout":"…","stderr":"…","mistake":"…","cause":"…","remedy":"…","seconds":0.031}
//! ```
//!
//! `outcome` is `passed`, `failed`, `cannot` (this machine) or `broken` (the check itself). `mistake`,
//! `cause` and `remedy` are empty where no known mistake fits; under `cannot` they are the machine's.
//! A program that does not compile has one object with step 0. The steps after the first that does
//! not pass are not run. Then one object for all:
//!
//! ```json
//! {"schema":1,"passed":3,"failed":1,"cannot":0}
//! ```
//!
//! which counts chapters. New fields may come; these stay as they are while `schema` is 1.

use std::fmt::Write as _;

use super::Checked;
use crate::steps::Outcome;

pub(crate) fn json(checked: &Checked) -> String {
    let chapter = quoted(&checked.chapter.name);
    if !checked.compiles {
        return format!(
            "{{\"schema\":1,\"chapter\":{chapter},\"step\":0,\"name\":\"it compiles\",\"outcome\":\"failed\"}}\n"
        );
    }
    let mut out = String::new();
    for (step, run) in &checked.steps {
        let verdict = &run.verdict;
        _ = write!(out, "{{\"schema\":1,\"chapter\":{chapter},\"step\":{}", step.number);
        for (key, value) in [
            ("name", step.title.as_str()),
            ("outcome", run.outcome.word()),
            ("wanted", &verdict.wanted),
            ("saw", &verdict.saw),
            ("stdout", &verdict.stdout),
            ("stderr", &verdict.stderr),
            ("mistake", &verdict.mistake),
            ("cause", &verdict.cause),
            ("remedy", &verdict.remedy),
        ] {
            _ = write!(out, ",\"{key}\":{}", quoted(value));
        }
        _ = writeln!(out, ",\"seconds\":{:.3}}}", run.seconds);
    }
    out
}

pub(crate) fn json_summary(all: &[Checked]) -> String {
    let passed = all.iter().filter(|checked| checked.passed()).count();
    let cannot = all.iter().filter(|checked| !checked.passed() && checked.cannot()).count();
    let failed = all.len() - passed - cannot;
    format!("{{\"schema\":1,\"passed\":{passed},\"failed\":{failed},\"cannot\":{cannot}}}\n")
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => _ = write!(out, "\\u{:04x}", control as u32),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A `testsuite` for each chapter, a `testcase` for each step that was run.
pub(crate) fn junit(all: &[Checked]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for checked in all {
        let name = escaped(&checked.chapter.name);
        let count = |outcomes: &[Outcome]| {
            checked.steps.iter().filter(|(_, run)| outcomes.contains(&run.outcome)).count()
        };
        let failures = count(&[Outcome::Failed]) + usize::from(!checked.compiles);
        let tests = checked.steps.len() + usize::from(!checked.compiles);
        _ = writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{}\" skipped=\"{}\">",
            count(&[Outcome::Broken]),
            count(&[Outcome::Cannot])
        );
        if !checked.compiles {
            _ = writeln!(
                out,
                "    <testcase classname=\"{name}\" name=\"it compiles\"><failure message=\"it does not compile\"/></testcase>"
            );
        }
        for (step, run) in &checked.steps {
            let title = escaped(&format!("step {}: {}", step.number, step.title));
            _ = write!(
                out,
                "    <testcase classname=\"{name}\" name=\"{title}\" time=\"{:.3}\">",
                run.seconds
            );
            let verdict = &run.verdict;
            let body = escaped(&format!(
                "wanted\n{}\n\nsaw\n{}\n\n{}\n{}",
                verdict.wanted, verdict.saw, verdict.cause, verdict.remedy
            ));
            let mistake = escaped(&verdict.mistake);
            match run.outcome {
                Outcome::Passed => {}
                Outcome::Failed => {
                    _ = write!(out, "<failure message=\"{mistake}\">{body}</failure>")
                }
                Outcome::Cannot => {
                    _ = write!(out, "<skipped message=\"{}\"/>", escaped(&verdict.cause))
                }
                Outcome::Broken => _ = write!(out, "<error>{}</error>", escaped(&run.output)),
            }
            out += "</testcase>\n";
        }
        out += "  </testsuite>\n";
    }
    out + "</testsuites>\n"
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
            control if control.is_control() || ['\u{fffe}', '\u{ffff}'].contains(&control) => {
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
    fn any_text_becomes_json() {
        assert_eq!(quoted("a\"b\\\n\u{1}ü"), "\"a\\\"b\\\\\\n\\u0001ü\"");
    }

    #[test]
    fn any_text_becomes_xml() {
        assert_eq!(
            escaped("<a & \"b\">\u{1b}[1m\n"),
            "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}[1m&#10;"
        );
    }
}
