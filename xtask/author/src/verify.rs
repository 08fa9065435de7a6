//! `cargo xtask verify`: whether the course keeps what it promises. For authors.
//!
//! Solutions and other correct programs pass; stubs, cheats and mistakes fail; each mistake is
//! diagnosed by its name; each file that a chapter needs exists and is in order. That the pages are in
//! order is checked where the book is built.

mod candidates;
mod compile;
mod files;
mod format;
mod giveaway;
mod promises;
mod rules;
mod trials;

use std::collections::BTreeMap;
use std::process::ExitCode;

use candidates::Candidate;
use format::Format;
use giveaway::Giveaway;
use trials::{Telling, Trial, Tried};
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::authoring::VERIFY;
use xtask::shared::cargo;
use xtask::shared::chapter::{Chapter, root};
use xtask::shared::failure::Result;
use xtask::shared::screen::{plain_lines, print};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut any_progress, mut quick, mut only_build) = (false, false, false);
    let (mut repeat, mut sample) = (1, 1);
    let mut chapters = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("any-progress") => any_progress = true,
            Argument::Long("quick") => quick = true,
            Argument::Long("build") => only_build = true,
            Argument::Long("sample") => sample = arguments.count("a number of programs")?,
            Argument::Long("repeat") => repeat = arguments.count("a number of times")?,
            Argument::Value(name) => chapters.push(Chapter::find(name)?),
            other => return Err(VERIFY.unexpected(other)),
        }
    }
    if chapters.is_empty() {
        chapters = Chapter::all()?;
    }
    chapters.sort();
    chapters.dedup();
    let mut cheats = candidates::cheats()?;
    let mut findings = Findings::default();

    let mut of_chapters: Vec<Vec<Candidate>> = Vec::new();
    for chapter in &chapters {
        of_chapters.push(files::read(chapter, any_progress, &mut findings));
    }
    findings.giveaways();
    if sample > 1 {
        let mut number = 0;
        for candidates in of_chapters.iter_mut().chain([&mut cheats]) {
            candidates.retain(|candidate| {
                number += 1;
                candidate.expected.is_of_the_solution() || number % sample == 0
            });
        }
        print(&format!("skipped: all but every {sample}th of the programs (--sample)\n"));
    }
    if any_progress {
        print("skipped: whether src/main.rs is the untouched stub (--any-progress)\n");
    }
    if quick {
        print("skipped: whether cheats fail at every step, not only at the first (--quick)\n");
        print(
            "skipped: whether mistakes are named in programs that print only an errno (--quick)\n",
        );
    }

    match format::look(&candidates::files(&chapters), &root())? {
        Format::Faults(faults) => {
            findings.fact("workspace", "programs outside of a package are formatted", faults);
        }
        Format::NoRustfmt => print(
            "skipped: whether programs outside of a package are formatted (no rustfmt: \
             `rustup component add rustfmt`)\n",
        ),
    }

    let checks = cargo::build_checks(&chapters)?;
    let candidates = of_chapters.iter().flatten().chain(&cheats);
    // A program that breaks a promise may be a mistake or a fake as well.
    let sources = candidates.filter_map(|candidate| candidate.source.as_ref());
    let sources: BTreeMap<_, _> = sources.map(|source| (source.name.as_str(), source)).collect();
    let sources: Vec<_> = sources.into_values().collect();
    let built = compile::build(&sources)?;
    findings.fact("workspace", "every program compiles", built.faults.clone());
    if only_build {
        return Ok(findings.conclude());
    }

    let mut trials = Vec::new();
    for ((chapter, check), own) in chapters.iter().zip(&checks).zip(&of_chapters) {
        trials.extend(trials::of_chapter(
            chapter,
            check,
            own.iter().chain(&cheats),
            &built,
            quick,
            repeat,
        )?);
    }
    let results = trials::run(&trials);
    for expected in &candidates::IN_ORDER {
        for chapter in &chapters {
            let trials = trials.iter().zip(&results).filter(|(trial, _)| {
                trial.chapter == chapter.name && expected.contains(&trial.candidate.expected)
            });
            let faults: Vec<Vec<String>> = trials.map(|(_, tried)| tried.faults.clone()).collect();
            // Nothing is known about programs that were not tried.
            if !faults.is_empty() {
                let sentence = expected[0].sentence(faults.len(), quick);
                findings.fact(&chapter.name, &sentence, faults.concat());
            }
        }
    }
    print_tellings(&chapters, &trials, &results, &mut findings);
    Ok(findings.conclude())
}

/// At least so many of a hundred wrong programs are told their cause.
const NAMED: usize = 85;

/// A table of what wrong programs are told, chapter by chapter.
fn print_tellings(
    chapters: &[Chapter],
    trials: &[Trial],
    results: &[Tried],
    findings: &mut Findings,
) {
    let count = |of: &dyn Fn(&Trial) -> bool| {
        let told = trials.iter().zip(results).filter(|(trial, _)| of(trial));
        let told: Vec<Telling> = told.filter_map(|(_, tried)| tried.telling).collect();
        [Telling::RightCause, Telling::RightCall, Telling::WrongCause]
            .map(|telling| told.iter().filter(|told| **told == telling).count())
    };
    let all = count(&|_| true);
    let total: usize = all.iter().sum();
    if total == 0 {
        return;
    }
    let row = |name: &str, [cause, call, wrong]: [usize; 3]| {
        print(&format!("{name:14}{cause:>13}{call:>13}{wrong:>13}\n"));
    };
    print(&format!(
        "\n{:14}{:>13}{:>13}{:>13}\n",
        "told", "right cause", "right call", "wrong cause"
    ));
    for chapter in chapters {
        row(&chapter.name, count(&|trial| trial.chapter == chapter.name));
    }
    row("all", all);
    let percent = 100 * all[0] / total;
    let few = if percent < NAMED { vec![format!("{percent} of 100")] } else { Vec::new() };
    let sentence = format!("at least {NAMED} of 100 wrong programs are told their cause");
    findings.fact("workspace", &sentence, few);
}

/// What was looked at, and what was wrong with it.
#[derive(Default)]
struct Findings {
    facts: usize,
    faults: Vec<String>,
    giveaways: Vec<Giveaway>,
}

impl Findings {
    /// Prints a sentence, which is true unless there are faults.
    fn fact(&mut self, place: &str, sentence: &str, faults: Vec<String>) {
        self.facts += 1;
        let mark = if faults.is_empty() { "ok   " } else { "FAULT" };
        print(&format!("{mark}  {place}: {sentence}\n"));
        self.faults.extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
    }

    /// How much of the exercises their pages give away, on average.
    fn giveaways(&mut self) {
        let percents: Vec<usize> = self.giveaways.iter().map(|one| one.percent()).collect();
        if percents.is_empty() {
            return;
        }
        let average = percents.iter().sum::<usize>() / percents.len();
        let too_much = average > giveaway::MOST_ON_AVERAGE;
        let faults = if too_much { vec![format!("{average} of 100 lines")] } else { Vec::new() };
        let sentence = format!("{average} of 100 lines to write can be read first, on average");
        self.fact("workspace", &sentence, faults);
    }

    fn conclude(self) -> ExitCode {
        if self.faults.is_empty() {
            print(&format!("\nno faults, {} facts\n", self.facts));
            return ExitCode::SUCCESS;
        }
        let count = self.faults.len();
        print(&format!("\n{count} {}\n", if count == 1 { "fault" } else { "faults" }));
        for fault in self.faults {
            // A cheat may have put control characters into the names that are quoted here.
            print(&format!("  {}\n", plain_lines(&fault).replace('\n', "\n    ")));
        }
        ExitCode::FAILURE
    }
}
