//! What other systems read. Each format is a function of results alone.
//!
//! One rule holds in all of them: what was not judged costs nothing and gains nothing. A student of whom any
//! program was not judged, or has no result at all, has no sum, and no format shows a number for it.
//!
//! Points are exact until a format asks for less, and are rounded there once, by [`Points::whole`] and
//! [`Points::share_of`].

pub mod autolab;
pub mod classroom50;
pub mod csv;
pub mod gradebook;
pub mod gradescope;
pub mod junit;
pub mod prairielearn;
pub mod probe;

use std::collections::{BTreeMap, BTreeSet};

use harness::is_unprintable;

use crate::points::Points;
use crate::result::{Graded, Outcome, Score, Step, StepOutcome};
use crate::texts;

/// The programs of a student.
#[derive(Clone, Debug)]
pub struct Student<'a> {
    pub key: &'a str,
    /// By chapter, in order.
    pub programs: BTreeMap<&'a str, &'a Graded>,
    /// Chapters of which there should be a result, and is none.
    pub missing: Vec<&'a str>,
}

/// What a student's programs come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    Points {
        earned: Points,
        possible: Points,
    },
    /// Why there is no number, in one line.
    Open(String),
}

impl<'a> Student<'a> {
    /// The students of these results, in the order of their keys.
    pub fn all(results: &'a [Graded]) -> Vec<Student<'a>> {
        let chapters: BTreeSet<&str> = results.iter().map(|it| it.chapter.as_str()).collect();
        Student::with(results, &chapters)
    }

    /// The same, where each of them should have a result of each of these chapters.
    pub fn with(results: &'a [Graded], chapters: &BTreeSet<&'a str>) -> Vec<Student<'a>> {
        let mut students: BTreeMap<&str, BTreeMap<&str, &Graded>> = BTreeMap::new();
        for graded in results {
            students.entry(&graded.key).or_default().insert(&graded.chapter, graded);
        }
        let student = |(key, programs): (&'a str, BTreeMap<&'a str, &'a Graded>)| {
            let is_missing = |chapter: &&&str| !programs.contains_key(**chapter);
            let missing = chapters.iter().filter(is_missing).copied().collect();
            Student { key, programs, missing }
        };
        students.into_iter().map(student).collect()
    }

    /// The sum over all programs, if each of them was judged.
    pub fn total(&self) -> Total {
        if let Some(chapter) = self.missing.first() {
            return Total::Open(format!("there is no result of {chapter}"));
        }
        if let Some(graded) = self.programs.values().find(|graded| earned(graded).is_none()) {
            return Total::Open(why_open(graded));
        }
        Total::Points {
            earned: self.programs.values().filter_map(|graded| earned(graded)).sum(),
            possible: self.programs.values().map(|graded| graded.points.possible).sum(),
        }
    }
}

/// The points of a program that was judged.
pub fn earned(graded: &Graded) -> Option<Points> {
    graded.points.earned.filter(|_| graded.outcome.is_judged() && is_sound(graded))
}

/// Whether a result agrees with its steps. A file that was cut and mended, or written by hand, may not; then
/// there is no evidence for what it says.
fn is_sound(graded: &Graded) -> bool {
    let core = |step: &&Step| !step.further;
    let all_passed = graded.steps.iter().filter(core).all(|it| it.outcome == StepOutcome::Passed);
    let has_passed = all_passed && graded.steps.iter().any(|step| !step.further);
    let within = |score: Score| score.earned.is_none_or(|earned| earned <= score.possible);
    Graded::score(&graded.steps) == graded.points
        && graded.steps.iter().all(|step| within(step.points))
        && (graded.outcome == Outcome::Passed) <= has_passed
}

/// Why a program has no points, in one line.
fn why_open(graded: &Graded) -> String {
    let cause = graded.trouble.as_ref().map_or("", |trouble| trouble.cause.as_str());
    let what = match graded.outcome {
        Outcome::Cannot => "the machine could not run it",
        Outcome::Broken => "the check broke",
        _ => "its result contradicts itself",
    };
    if cause.starts_with(what) {
        return format!("{}: {}", graded.chapter, one_line(cause));
    }
    match one_line(cause).as_str() {
        "" => format!("{}: {what}", graded.chapter),
        cause => format!("{}: {what}: {cause}", graded.chapter),
    }
}

/// The steps that a format shows: not those that were left out because they are worth nothing.
fn shown(graded: &Graded) -> impl Iterator<Item = &Step> {
    let is_left_out = |step: &Step| {
        step.further && step.outcome == StepOutcome::NotRun && step.points.possible == Points::ZERO
    };
    graded.steps.iter().filter(move |step| !is_left_out(step))
}

/// `step 2: COMMAND has a host name of its own`. No two steps of a chapter have the same.
fn title(step: &Step) -> String {
    let further = if step.further { "further " } else { "" };
    format!("{further}step {}: {}", step.step, one_line(&step.name))
}

/// What happened to a program as a whole, in lines: the outcome, and why it was not checked.
fn in_lines(graded: &Graded, level: texts::Level) -> String {
    let mut lines = format!("{}: {}\n", graded.chapter, texts::headline(graded));
    if let Some(trouble) = &graded.trouble {
        lines += &format!("{}\n", one_line(&trouble.cause));
        if level != texts::Level::Kind && !trouble.remedy.is_empty() {
            lines += &format!("{}\n", one_line(&trouble.remedy));
        }
        if level != texts::Level::Kind && graded.outcome == Outcome::NotBuilt {
            lines += &trouble.said;
        }
    }
    clean(lines.trim_end())
}

/// Text without control characters, which some systems cannot keep: a database refuses NUL, XML most of them.
fn clean(text: &str) -> String {
    let safe = |character| match character {
        '\n' | '\t' => character,
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        other if is_unprintable(other) => '\u{fffd}',
        other => other,
    };
    text.chars().map(safe).collect()
}

fn one_line(text: &str) -> String {
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The beginning of a text, at most so many bytes of it.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}\n… (cut)", &text[..end])
}
