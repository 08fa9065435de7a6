//! The doctor's findings for people.

use harness::doctor::{Advice, Answer, Facts, Finding, Refusal};

use super::Diagnosis;
use crate::shared::screen::Screen;

/// Room for `ok`, `no`, `--` before a line.
const INDENT: &str = "     ";

/// The facts that a reader needs, and their names in the report. `--json` has all of them.
const FACTS: [(&str, &str); 9] = [
    ("kernel", "kernel"),
    ("arch", "machine"),
    ("user", "you are"),
    ("container", "container"),
    ("proc", "/proc"),
    ("time_namespaces", "time ns"),
    ("cgroup", "cgroups"),
    ("ptrace_scope", "ptrace"),
    ("seccomp", "seccomp"),
];

pub(super) fn report(diagnosis: &Diagnosis, screen: Screen) -> String {
    let mut out = facts(&diagnosis.examination.facts, screen);
    if !diagnosis.edition.is_empty() {
        out += &entry(screen, &format!("{:<10}", "course"), &diagnosis.edition);
    }
    for (name, version) in &diagnosis.tools {
        out += &entry(screen, &format!("{name:<10}"), version);
    }
    out.push('\n');
    let mut told = Vec::new();
    let same_need =
        |one: &Finding, other: &Finding| needs(one).is_some() && needs(one) == needs(other);
    for group in diagnosis.examination.findings.chunk_by(same_need) {
        out += &match needs(&group[0]) {
            Some(probe) => not_tried(diagnosis, group, probe, screen),
            None => found(diagnosis, &group[0], &mut told, screen),
        };
    }
    out.push('\n');
    if diagnosis.examination.facts.get("machines_root") == "yes" {
        out += &screen.wrapped(
            "note: this user namespace maps no id but the machine's root, so the programs run with it; \
             before you run a program that you do not trust, leave this namespace",
            "",
        );
    }
    out + &screen.wrapped(&summary(diagnosis), "")
}

fn facts(facts: &Facts, screen: Screen) -> String {
    let line = |(key, name): &(&str, &str)| {
        entry(screen, &format!("{name:<10}"), in_words(key, facts.get(key)))
    };
    FACTS.iter().map(line).collect()
}

/// Values that only a man page explains: proc_pid_status(5), ptrace(2).
fn in_words<'a>(fact: &str, value: &'a str) -> &'a str {
    match (fact, value) {
        ("seccomp", "0") => "no filter",
        ("seccomp", "2") => "a filter is in force",
        ("ptrace_scope", "0" | "absent") => "not restricted by Yama",
        ("ptrace_scope", "1") => "of the tracer's descendants (Yama 1)",
        ("ptrace_scope", "2") => "by root only (Yama 2)",
        ("ptrace_scope", "3") => "forbidden (Yama 3)",
        _ => value,
    }
}

/// The probe that has to work before this one can be tried.
fn needs(finding: &Finding) -> Option<&str> {
    match &finding.answer {
        Answer::NotTried(needs) => Some(needs),
        _ => None,
    }
}

/// Several findings in one entry.
fn not_tried(diagnosis: &Diagnosis, group: &[Finding], probe: &str, screen: Screen) -> String {
    let names = group.iter().map(|finding| finding.what).collect::<Vec<_>>().join(", ");
    let lacking = diagnosis.examination.finding(probe).map_or(probe, |finding| finding.what);
    entry(screen, "--", &format!("not tried without {lacking}: {names}"))
}

/// A finding. `told` is the advice that has been shown, and for what: it is not repeated.
fn found<'a>(
    diagnosis: &Diagnosis,
    finding: &'a Finding,
    told: &mut Vec<(&'a Advice, &'static str)>,
    screen: Screen,
) -> String {
    let what = finding.what;
    match &finding.answer {
        Answer::Works => entry(screen, "ok", what),
        Answer::Newer(refusal, since) => {
            let call = short(refusal);
            let text = format!("{what}: {call}; newer feature (Linux {since}), has a fallback");
            entry(screen, "--", &text)
        }
        Answer::NotTried(probe) => {
            not_tried(diagnosis, std::slice::from_ref(finding), probe, screen)
        }
        Answer::Refused(refusal, advice) => {
            let mut out = entry(screen, "no", &format!("{what}: {}", short(refusal)));
            match told.iter().find(|(shown, _)| *shown == advice) {
                Some((_, before)) => {
                    out += &screen.wrapped(&format!("for the same reason as {before}"), INDENT);
                }
                None => {
                    out += &screen.wrapped(&advice.cause, INDENT);
                    out += &unbroken(INDENT, &format!("help: {}", advice.remedy), screen);
                    told.push((advice, what));
                }
            }
            out + &screen.wrapped(&cost(&diagnosis.cost(finding)), INDENT)
        }
    }
}

/// The call and the name of its errno, which the advice explains.
fn short(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.call, refusal.errno_name())
}

/// A word, and prose that hangs beside it.
fn entry(screen: Screen, word: &str, text: &str) -> String {
    let indent = " ".repeat(INDENT.len().max(word.len()));
    let wrapped = screen.wrapped(text, &indent);
    let painted = match word {
        "ok" => screen.good(word),
        "no" => screen.bad(word),
        other => other.to_owned(),
    };
    format!(
        "{painted}{}{}",
        &indent[word.len()..],
        wrapped.strip_prefix(&indent).unwrap_or(&wrapped)
    )
}

/// Wraps behind a head, but not within a command in backticks: it is there to be copied.
pub(super) fn unbroken(head: &str, text: &str, screen: Screen) -> String {
    // For private use in Unicode, so no text has it, and it is no control character.
    const KEPT: &str = "\u{e000}";
    let parts = text.split('`').enumerate();
    let parts =
        parts.map(|(n, part)| if n % 2 == 1 { part.replace(' ', KEPT) } else { part.into() });
    let text = parts.collect::<Vec<_>>().join("`");
    screen.hanging(head, &text).replace(KEPT, " ")
}

fn cost(chapters: &[u32]) -> String {
    match chapters {
        [] => "it costs no whole chapter".to_owned(),
        some => format!("it costs {}", listed(some)),
    }
}

pub(super) fn listed(numbers: &[u32]) -> String {
    let chapters = if numbers.len() == 1 { "chapter" } else { "chapters" };
    let numbers = numbers.iter().map(u32::to_string).collect::<Vec<_>>();
    format!("{chapters} {}", numbers.join(", "))
}

fn summary(diagnosis: &Diagnosis) -> String {
    let numbers = diagnosis.chapters.iter().map(|chapter| chapter.number());
    let (can, cannot): (Vec<u32>, Vec<u32>) =
        numbers.partition(|number| diagnosis.examination.can_check(*number));
    match (can.as_slice(), cannot.as_slice()) {
        (_, []) => "every chapter can be checked here".to_owned(),
        ([], _) => "no chapter can be checked here; start with the first `no` above".to_owned(),
        (can, cannot) => format!(
            "{} can be checked here, {} cannot; start with the first `no` above",
            listed(can),
            listed(cannot)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{diagnosis, refusal, refused, works};
    use super::*;

    fn screen(width: usize) -> Screen {
        Screen { terminal: false, colour: false, width }
    }

    fn findings(findings: Vec<Finding>, width: usize) -> String {
        let text = report(&diagnosis(findings), screen(width));
        text.split_once("\n\n").map(|(_, after)| after.to_owned()).unwrap()
    }

    #[test]
    fn what_works_and_what_does_not() {
        let newer = Answer::Newer(refusal(), "6.5");
        let newer = Finding { name: "n", what: "pidfds", chapters: &[], answer: newer };
        let needs = Answer::NotTried("proc".into());
        let needs = |what| Finding { name: what, what, chapters: &[3], answer: needs.clone() };
        assert_eq!(
            findings(
                vec![
                    works(),
                    refused(&[1]),
                    refused(&[17]),
                    needs("more"),
                    needs("much more"),
                    newer
                ],
                80
            ),
            "\
ok   a host name
no   a fresh /proc: mount(\"proc\", \"/proc\"): EPERM
     parts of /proc are hidden, so the kernel refuses a fresh one
     help: start the container with `--security-opt systempaths=unconfined`
     it costs chapter 1
no   a fresh /proc: mount(\"proc\", \"/proc\"): EPERM
     for the same reason as a fresh /proc
     it costs no whole chapter
--   not tried without a fresh /proc: more, much more
--   pidfds: mount(\"proc\", \"/proc\"): EPERM; newer feature (Linux 6.5), has a
     fallback

no chapter can be checked here; start with the first `no` above
"
        );
    }

    #[test]
    fn forty_columns_are_enough() {
        let text = findings(vec![works(), refused(&[1, 3])], 40);
        assert_eq!(
            text,
            "\
ok   a host name
no   a fresh /proc: mount(\"proc\",
     \"/proc\"): EPERM
     parts of /proc are hidden, so the
     kernel refuses a fresh one
     help: start the container with
     `--security-opt systempaths=unconfined`
     it costs chapters 1, 3

no chapter can be checked here; start
with the first `no` above
"
        );
    }

    #[test]
    fn the_summary_counts_chapters_that_are_there() {
        let summary = |findings| summary(&diagnosis(findings));
        assert_eq!(summary(vec![works(), refused(&[17])]), "every chapter can be checked here");
        let some = summary(vec![refused(&[3])]);
        assert!(some.starts_with("chapter 1 can be checked here, chapter 3 cannot"), "{some}");
    }
}
