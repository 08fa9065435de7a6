//! `cargo xtask grade`, which builds this program and starts it.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use grade::merge::merge;
use grade::points::Scheme;
use grade::run::{self, Options, Shard};
use grade::texts::Level;
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::grading::USAGE;

fn main() -> ExitCode {
    command(Arguments::new(std::env::args_os().skip(1))).unwrap_or_else(|failure| {
        failure.print();
        ExitCode::from(failure.code())
    })
}

fn command(mut arguments: Arguments) -> Result {
    let mut places = Vec::new();
    let (mut out, mut chapters, mut jobs, mut shard) = (None, Vec::new(), None, None);
    let (mut again, mut points, mut level) = (Vec::new(), None, Level::Full);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Value(place) => places.push(PathBuf::from(place)),
            Argument::Long("out") => out = Some(PathBuf::from(arguments.value("a folder")?)),
            Argument::Long("chapters") => {
                let named = arguments.value("chapters, such as `ch2,ch3`")?;
                for name in named.to_string_lossy().split(',').filter(|name| !name.is_empty()) {
                    chapters.push(Chapter::find(name)?);
                }
            }
            Argument::Long("jobs") => jobs = Some(arguments.count("a number of programs")?),
            Argument::Long("again") => {
                again.push(arguments.value("a key")?.to_string_lossy().into_owned());
            }
            Argument::Long("points") => points = Some(PathBuf::from(arguments.value("a file")?)),
            Argument::Long("feedback") => level = level_of(&arguments.value("a level")?)?,
            Argument::Long("shard") => {
                shard = Some(shard_of(&arguments.value("a part, as `0/7`")?)?)
            }
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let out = out.ok_or_else(|| USAGE.needs("`--out DIR`, a folder for the results"))?;
    if places.first().is_some_and(|place| place.as_os_str() == "merge") {
        return match &places[1..] {
            [] => Err(USAGE.needs("folders to merge")),
            folders => merge(folders, &out, level),
        };
    }
    if places.is_empty() {
        return Err(USAGE.needs("submissions"));
    }
    chapters.sort();
    chapters.dedup();
    if chapters.is_empty() {
        chapters = Chapter::all()?;
    }
    let scheme_text = match &points {
        Some(file) => fs::read_to_string(file).map_err(|error| {
            Failure::usage(format!("could not read `{}`: {error}", file.display()))
        })?,
        None => String::new(),
    };
    let scheme = Scheme::read(&scheme_text).map_err(|error| {
        let file = points.unwrap_or_default();
        Failure::usage(format!("`{}` is no scheme of points: {error}", file.display()))
    })?;
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let submissions = places;
    run::run(&Options {
        submissions,
        out,
        chapters,
        jobs,
        again,
        shard,
        scheme,
        scheme_text,
        level,
    })
}

fn level_of(word: &OsStr) -> Result<Level> {
    let level = Level::ALL.into_iter().find(|level| word == level.word());
    level.ok_or_else(|| {
        Failure::usage(format!("`{}` is no level of feedback", word.display()))
            .help("there are `full`, `own` and `kind`")
    })
}

fn shard_of(word: &OsStr) -> Result<Shard> {
    let parts = word.to_str().and_then(|word| word.split_once('/'));
    let shard = parts.and_then(|(index, count)| {
        Some(Shard { index: index.parse().ok()?, count: count.parse().ok()? })
    });
    shard.filter(|shard| shard.index < shard.count).ok_or_else(|| {
        Failure::usage(format!("`{}` is no part of the submissions", word.display()))
            .help("the parts of seven are `0/7` to `6/7`")
    })
}
