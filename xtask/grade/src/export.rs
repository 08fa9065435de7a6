//! `grade write`: reads a folder of results, and says them in another system's format.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use xtask::shared::arguments::nearest;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::{self, plain};

use crate::result::Graded;
use crate::store::{read_result, results_in, write_whole};
use crate::texts::Level;
use crate::writers::classroom50::{self, Identity};
use crate::writers::gradebook::{self, Columns, Filled};
use crate::writers::{Student, Total, autolab, csv, gradescope, junit, prairielearn};

/// Another system's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Gradescope,
    Classroom50,
    PrairieLearn,
    Autolab,
    Junit,
    Csv,
}

impl Format {
    pub const ALL: [Format; 6] = [
        Format::Gradescope,
        Format::Classroom50,
        Format::PrairieLearn,
        Format::Autolab,
        Format::Junit,
        Format::Csv,
    ];

    /// As the command line has it.
    pub fn word(self) -> &'static str {
        match self {
            Format::Gradescope => "gradescope",
            Format::Classroom50 => "classroom50",
            Format::PrairieLearn => "prairielearn",
            Format::Autolab => "autolab",
            Format::Junit => "junit",
            Format::Csv => "csv",
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Export<'a> {
    /// The folder of results.
    pub folder: &'a Path,
    /// Only these chapters; all if there is none.
    pub chapters: Vec<String>,
    /// Only this student.
    pub key: Option<&'a str>,
    pub level: Level,
    /// Otherwise standard output.
    pub out: Option<&'a Path>,
}

impl Export<'_> {
    /// Writes a format. The exit status is 3 if there is nothing to write, because a program was not judged.
    ///
    /// # Errors
    ///
    /// There are no results, one is damaged, a format of one student is asked for of several, or the file
    /// cannot be written.
    pub fn write(&self, format: Format, previous: Option<&Path>) -> Result {
        let lines = |value: Value| format!("{value:#}\n");
        let results = self.results();
        // A grader that could not even start has left nothing.
        if let (Err(_), Some(file)) = (&results, previous) {
            let kept = gradescope::previous(&read_json(file)?, "the grader left no result");
            if let (Some(kept), Some(out)) = (kept, self.out) {
                keep(out, lines(kept).as_bytes())?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        let (results, chapters) = results?;
        let students = Student::with(&results, &chapters.iter().map(String::as_str).collect());
        let text = match format {
            Format::Junit => Some(junit::report(&students, self.level)),
            Format::Csv => Some(csv::table(&students)),
            Format::Gradescope => {
                let metadata = previous.map(read_json).transpose()?;
                let student = only(&students)?;
                gradescope::results(student, self.level, metadata.as_ref()).map(lines)
            }
            Format::Classroom50 => {
                let identity = Identity::from_variables(|name| std::env::var(name).ok());
                let identity = identity.map_err(|name| {
                    Failure::usage(format!("`{name}` is not set as Classroom 50 sets it"))
                        .help("call this from the `autograder.py` that `grade package` makes")
                })?;
                classroom50::result(only(&students)?, &identity, self.level).map(lines)
            }
            Format::PrairieLearn => {
                Some(lines(prairielearn::results(only(&students)?, self.level)))
            }
            Format::Autolab => Some(autolab::output(only(&students)?, self.level)),
        };
        let Some(text) = text else {
            let why = match only(&students)?.total() {
                Total::Open(why) => why,
                Total::Points { .. } => String::new(),
            };
            return Err(Failure::machine(format!("nothing is written: {why}"))
                .help("no point is lost; grade it again where the machine allows it"));
        };
        match self.out {
            Some(file) => keep(file, text.as_bytes())?,
            None => screen::print(&text),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Fills a column of a gradebook. The exit status is 1 if a student is not in it or stands there twice, and
    /// 3 if some were not judged.
    ///
    /// # Errors
    ///
    /// As for [`write`](Export::write), and if the table has not these columns.
    pub fn fill(&self, table: &Path, columns: &Columns) -> Result {
        if !gradebook::is_pattern(columns.pattern) {
            return Err(Failure::usage(format!(
                "`{}` is the same for all students",
                columns.pattern
            ))
            .help("a pattern has `{key}`, `{name}` or `{number}` in it"));
        }
        let out = self.out.ok_or_else(|| {
            Failure::usage("`--into` needs `--out FILE`").help("the table itself is not changed")
        })?;
        let (results, chapters) = self.results()?;
        let students = Student::with(&results, &chapters.iter().map(String::as_str).collect());
        let bytes = fs::read(table).map_err(|error| {
            Failure::usage(format!("could not read `{}`: {error}", table.display()))
        })?;
        let filled = gradebook::fill(&bytes, &students, columns);
        let filled = filled.map_err(|(what, help)| {
            Failure::usage(format!("could not fill `{}`: {what}", table.display())).help(help)
        })?;
        keep(out, &filled.table)?;
        Ok(report(&filled))
    }

    /// The results of these chapters and this student, and the chapters of which there should be results: those
    /// that were asked for, or else all of which any student has one. A run that was cut short has not all.
    fn results(&self) -> Result<(Vec<Graded>, Vec<String>)> {
        let mut results = Vec::new();
        for file in results_in(self.folder)? {
            let graded = read_result(&file).map_err(|error| {
                Failure::new(format!("`{}` is no result: {error}", file.display()))
                    .help("remove it, and grade this submission again")
            })?;
            results.push(graded);
        }
        if results.is_empty() {
            let message = format!("`{}` has no result in it", self.folder.display());
            return Err(Failure::new(message).help("grade submissions first"));
        }
        let known = results.iter().map(|graded| graded.chapter.clone()).collect();
        if let Some(key) = self.key {
            let keys: Vec<_> = results.iter().map(|graded| graded.key.clone()).collect();
            results.retain(|graded| graded.key == key);
            if results.is_empty() {
                let failure = Failure::usage(format!("no result has the key `{key}`"));
                return Err(match nearest(key, keys.iter().map(String::as_str)) {
                    Some(near) => failure.help(format!("did you mean `{near}`?")),
                    None => failure,
                });
            }
        }
        if !self.chapters.is_empty() {
            results.retain(|graded| self.chapters.contains(&graded.chapter));
            if results.is_empty() {
                return Err(Failure::usage("there is no result of these chapters"));
            }
            return Ok((results, self.chapters.clone()));
        }
        Ok((results, known))
    }
}

/// The one student that a format is about.
fn only<'s, 'r>(students: &'s [Student<'r>]) -> Result<&'s Student<'r>> {
    match students {
        [student] => Ok(student),
        _ => {
            Err(Failure::usage(format!("this format is about one student, not {}", students.len()))
                .help("`--key KEY` names one"))
        }
    }
}

fn read_json(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("could not read `{}`: {error}", file.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{}` is no JSON: {error}", file.display())))
}

/// Writes a file, whole or not at all.
///
/// # Errors
///
/// It cannot be written.
pub fn keep(file: &Path, bytes: &[u8]) -> Result<()> {
    let file = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
    write_whole(&file, bytes)
        .map_err(|error| Failure::file(format!("could not write `{}`", file.display()), &error))
}

/// Says what of a gradebook was filled, and what was not.
fn report(filled: &Filled) -> ExitCode {
    screen::print(&format!("{} filled, {} without a result\n", filled.filled, filled.without));
    for (keys, what) in [
        (&filled.unknown, "is not in the table"),
        (&filled.doubled, "is not one row of the table but several, or one of several"),
        (&filled.short, "has a row that ends before the column"),
    ] {
        for key in keys {
            screen::warn(&format!("error: `{}` {what}, and has no points there\n", plain(key)));
        }
    }
    for (key, why) in &filled.open {
        let (key, why) = (plain(key), plain(why));
        screen::warn(&format!("note: `{key}` was not judged, and its cell stays: {why}\n"));
    }
    let missing = filled.unknown.len() + filled.doubled.len() + filled.short.len();
    match (missing, filled.open.len()) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    }
}
