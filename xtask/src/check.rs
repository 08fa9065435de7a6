//! `cargo xtask check`: builds an exercise, runs its steps one by one, and says what the kernel
//! saw.
//!
//! Exit status: 0 passed, 1 failed, 2 wrong usage, 3 this machine cannot check it.

pub(crate) mod machine;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;

use crate::cargo::{self, Built};
use crate::chapter::Chapter;
use crate::failure::{Failure, Result};
use crate::progress::{self, Progress, State};
use crate::screen::{self, Screen};
use crate::steps::{self, Outcome, Run, Step};

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    chapters: Vec<Chapter>,
    all: bool,
    json: bool,
    junit: Option<PathBuf>,
}

/// How a chapter turned out: the steps that were run, up to the first that did not pass.
pub(crate) struct Checked {
    pub(crate) chapter: Chapter,
    pub(crate) steps: Vec<(Step, Run)>,
    pub(crate) compiles: bool,
}

impl Checked {
    pub(crate) fn passed(&self) -> bool {
        self.compiles && self.steps.iter().all(|(_, run)| run.outcome == Outcome::Passed)
    }

    fn cannot(&self) -> bool {
        self.steps.iter().any(|(_, run)| run.outcome == Outcome::Cannot)
    }
}

pub(crate) fn run(words: &[&str]) -> Result {
    let options = parse(words)?;
    let chapters = match (options.all, options.chapters.is_empty()) {
        (true, _) => Chapter::all()?,
        (false, false) => options.chapters,
        (false, true) => match first_unsolved()? {
            Some(chapter) => vec![chapter],
            None => {
                screen::print(
                    "every chapter is solved; `cargo xtask check --all` checks them again\n",
                );
                return Ok(ExitCode::SUCCESS);
            }
        },
    };
    let mut checked = Vec::new();
    for chapter in chapters {
        let result = check(&chapter, options.json)?;
        if options.json {
            screen::print(&machine::json(&result));
        }
        checked.push(result);
    }
    if options.json {
        screen::print(&machine::json_summary(&checked));
    }
    if let Some(file) = options.junit {
        let written = std::fs::write(&file, machine::junit(&checked));
        written.map_err(|error| {
            Failure::new(format!("could not write `{}`: {error}", file.display()))
        })?;
    }
    Ok(ExitCode::from(match checked.iter().all(Checked::passed) {
        true => 0,
        // A failure is a verdict on the program, and says more than a machine that could not.
        false if checked.iter().any(|one| !one.passed() && !one.cannot()) => 1,
        false => 3,
    }))
}

fn parse(words: &[&str]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--all" => options.all = true,
            "--json" => options.json = true,
            "--junit" => {
                let file = words.next().ok_or_else(|| Failure::usage("`--junit` needs a file"))?;
                options.junit = Some(PathBuf::from(file));
            }
            flag if flag.starts_with('-') => {
                return Err(Failure::usage(format!("`check` has no option `{flag}`"))
                    .help("there are `--all`, `--json` and `--junit FILE`"));
            }
            name => {
                let chapter = Chapter::find(name)?;
                match options.chapters.contains(&chapter) {
                    true => eprintln!("note: {} is named twice and checked once", chapter.name),
                    false => options.chapters.push(chapter),
                }
            }
        }
    }
    Ok(options)
}

fn first_unsolved() -> Result<Option<Chapter>> {
    let progress = Progress::load();
    let solved = |chapter: &Chapter| {
        let entry = progress.of(chapter);
        entry.state == State::Solved && entry.hash == progress::hash(chapter)
    };
    Ok(Chapter::all()?.into_iter().find(|chapter| !solved(chapter)))
}

/// Checks one chapter, tells the reader (unless `quiet`), and keeps the outcome.
pub(crate) fn check(chapter: &Chapter, quiet: bool) -> Result<Checked> {
    let screen =
        if quiet { Screen { terminal: false, ..Screen::stdout() } } else { Screen::stdout() };
    let say = |text: String| {
        if !quiet {
            screen.clear_line();
            screen::print(&text);
        }
    };
    let before = progress::hash(chapter);
    let all = steps::steps(&chapter.exercise().join("tests/check.rs"))?;
    let mut checked = Checked { chapter: chapter.clone(), steps: Vec::new(), compiles: true };

    screen.passing(&format!("{}: building …", chapter.name));
    let test = match cargo::build_check(&chapter.name, screen)? {
        Built::Yes(test) => test,
        Built::No => {
            checked.compiles = false;
            keep(chapter, before, State::Failed(all[0].number));
            // The compiler has said all there is to say.
            screen.clear_line();
            return Ok(checked);
        }
    };
    say(text::title(chapter, screen));
    // All at once, told in order: a reader waits for the slowest, not for the sum.
    let (told, results): (Vec<_>, Vec<_>) = all.iter().map(|_| mpsc::channel()).unzip();
    for (step, told) in all.iter().cloned().zip(told) {
        let test = test.clone();
        // Nobody joins it: after a failure nobody waits for the steps behind.
        std::thread::spawn(move || _ = told.send(steps::run_step(&test, &step, None)));
    }
    for (step, result) in all.iter().zip(results) {
        screen.passing(&format!("        step {}: {} …", step.number, step.title));
        let run = result.recv().map_err(|_| Failure::new("a step was not run"))??;
        say(text::step_line(step, run.outcome, screen));
        checked.steps.push((step.clone(), run));
        if !checked.passed() {
            break;
        }
    }
    match checked.steps.last() {
        Some((step, run)) if run.outcome != Outcome::Passed => {
            say(text::explanation(chapter, step, run, screen));
            if run.outcome == Outcome::Failed {
                keep(chapter, before, State::Failed(step.number));
            }
        }
        _ => {
            keep(chapter, before, State::Solved);
            say(text::solved(chapter, &Chapter::all()?));
        }
    }
    Ok(checked)
}

/// `hash` is of the program before it was built: an edit meanwhile has not been checked.
fn keep(chapter: &Chapter, hash: u64, state: State) {
    let mut progress = Progress::load();
    let entry = progress.of(chapter);
    progress.keep(progress::Entry { hash, state, ..entry });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line() {
        let options = parse(&["ch2", "--json", "2", "--junit", "file"]).unwrap();
        assert_eq!(options.chapters.len(), 1);
        assert!(options.json && !options.all && options.junit == Some("file".into()));
        for wrong in [&["--jsn"][..], &["ch99"], &["--junit"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
