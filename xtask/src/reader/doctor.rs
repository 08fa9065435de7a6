//! `cargo xtask doctor`: what this machine allows, and what to change.
//!
//! Exit status 0 if every chapter can be checked here, otherwise 3.

mod collect;
mod machine;
mod text;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use harness::doctor::{Examination, Finding, examine};

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::Chapter;
use crate::shared::edition::edition;
use crate::shared::failure::{Failure, Result};
use crate::shared::screen::{self, Screen};

pub(crate) const USAGE: Usage = Usage {
    name: "doctor",
    forms: &[
        ("", "what this machine allows, and what to change"),
        (
            "--collect FILES…",
            "what many laptops have answered with `--json`, as one table, and what to change on which; a \
             folder is every `*.json` in it",
        ),
    ],
    options: &[
        ("--json", "as JSON"),
        (
            "--name NAME",
            "with `--json`: whose answer it is, for `--collect`; else the file's name counts",
        ),
    ],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut json, mut name, mut collect, mut files) = (false, None, false, Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("json") => json = true,
            Argument::Long("name") => {
                name = Some(arguments.value("a name")?.to_string_lossy().into_owned());
            }
            Argument::Long("collect") => collect = true,
            Argument::Value(file) if collect => files.push(PathBuf::from(file)),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    match (collect, files.is_empty(), &name) {
        (true, true, _) => return Err(USAGE.needs("files to collect")),
        (true, false, Some(_)) => {
            return Err(Failure::usage("`--name` is for one laptop, and `--collect` for many"));
        }
        (true, false, None) => return collect::run(&files, json),
        (false, ..) => {}
    }
    if name.is_some() && !json {
        return Err(Failure::usage("`--name` is for `--json`").help("add `--json`"));
    }
    let diagnosis = Diagnosis::make()?;
    let screen = Screen::stdout();
    screen::print(&match json {
        true => machine::json(&diagnosis, name.as_deref().unwrap_or_default(), SystemTime::now()),
        false => text::report(&diagnosis, screen),
    });
    Ok(if diagnosis.can_check_all() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Probes without which no chapter is lost, and the chapters in which steps are skipped without them.
const PARTS: [(&str, &[u32]); 2] = [("cgroup_v2", &[14, 17]), ("cgroup_limits", &[14])];

/// What the doctor has found, and the chapters that need it.
struct Diagnosis {
    examination: Examination,
    tools: Vec<(&'static str, String)>,
    /// Of the course, as [`edition`] says it.
    edition: String,
    chapters: Vec<Chapter>,
}

impl Diagnosis {
    fn make() -> Result<Diagnosis> {
        let chapters = Chapter::all()?;
        let (tools, edition) = (tools::versions(), edition());
        Ok(Diagnosis { examination: examine(), tools, edition, chapters })
    }

    fn can_check_all(&self) -> bool {
        self.chapters.iter().all(|chapter| self.examination.can_check(chapter.number()))
    }

    /// The existing chapters that need this.
    fn cost(&self, finding: &Finding) -> Vec<u32> {
        let numbers = self.chapters.iter().map(Chapter::number);
        numbers.filter(|number| finding.chapters.contains(number)).collect()
    }

    /// The existing chapters that skip steps without this.
    fn parts(&self, finding: &Finding) -> Vec<u32> {
        let known = PARTS.iter().find(|(name, _)| *name == finding.name);
        let chapters = known.map_or(&[][..], |(_, chapters)| chapters);
        let numbers = self.chapters.iter().map(Chapter::number);
        numbers.filter(|number| chapters.contains(number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use harness::doctor::{Advice, Answer, Facts, Refusal};

    use super::*;

    /// These findings, and two chapters.
    pub(super) fn diagnosis(findings: Vec<Finding>) -> Diagnosis {
        let chapters = ["ch01-look", "ch03-clone"].map(|name| Chapter { name: name.into() });
        Diagnosis {
            examination: Examination { facts: Facts::default(), findings },
            tools: vec![("cc", "unknown".into())],
            edition: "2026-11-30-1a2b3c4".to_owned(),
            chapters: chapters.into(),
        }
    }

    pub(super) fn works() -> Finding {
        Finding { name: "uts", what: "a host name", chapters: &[1, 3], answer: Answer::Works }
    }

    pub(super) fn refusal() -> Refusal {
        let errno = nix::errno::Errno::EPERM;
        Refusal { at: "proc".into(), call: "mount(\"proc\", \"/proc\")".into(), errno }
    }

    pub(super) fn refused(chapters: &'static [u32]) -> Finding {
        let advice = Advice {
            cause: "parts of /proc are hidden, so the kernel refuses a fresh one".into(),
            remedy: "start the container with `--security-opt systempaths=unconfined`".into(),
            environments: vec!["masked-proc".into()],
            shown: true,
        };
        let answer = Answer::Refused(refusal(), advice);
        Finding { name: "proc", what: "a fresh /proc", chapters, answer }
    }

    #[test]
    fn only_chapters_that_are_there_count() {
        assert!(diagnosis(vec![works(), refused(&[15, 17])]).can_check_all());
        let diagnosis = diagnosis(vec![works(), refused(&[3, 15])]);
        assert!(!diagnosis.can_check_all());
        assert_eq!(diagnosis.cost(&diagnosis.examination.findings[1]), [3]);
    }
}
