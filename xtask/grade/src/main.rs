//! `cargo xtask grade`, which builds this program and starts it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use grade::export::{Export, Format, keep};
use grade::merge::merge;
use grade::package::{Package, System};
use grade::points::Scheme;
use grade::run::{self, Options, Shard};
use grade::texts::Level;
use grade::variant::{self, Task, Variants};
use grade::writers;
use grade::writers::gradebook::Columns;
use grade::writers::probe::Probed;
use harness::doctor::{self, Answer};
use xtask::shared::arguments::{Argument, Arguments, nearest};
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::grading::{USAGE, VARIANT};
use xtask::shared::screen::{self, plain};
use xtask::shared::with::With;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1).peekable();
    let done = match words.next_if(|word| word == "variant") {
        Some(_) => variants(Arguments::new(words)),
        None => command(Arguments::new(words)),
    };
    done.unwrap_or_else(|failure| {
        failure.print();
        ExitCode::from(failure.code())
    })
}

fn command(mut arguments: Arguments) -> Result {
    let mut places = Vec::new();
    let (mut out, mut chapters, mut jobs, mut shard) = (None, Vec::new(), None, None);
    let (mut again, mut points, mut level) = (Vec::new(), None, Level::Full);
    let (mut key, mut previous, mut into) = (None, None, None);
    let (mut one, mut image, mut probe, mut seed) = (None, None, false, None);
    let (mut with, mut table, mut task) = (None, None, Task::Exercise);
    let (mut students, mut column, mut pattern) = (None, None, "{key}".to_owned());
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
                again.push(text(arguments.value("a key")?));
            }
            Argument::Long("points") => points = Some(PathBuf::from(arguments.value("a file")?)),
            Argument::Long("feedback") => level = level_of(&arguments.value("a level")?)?,
            Argument::Long("shard") => {
                shard = Some(shard_of(&arguments.value("a part, as `0/7`")?)?)
            }
            Argument::Long("key") => key = Some(text(arguments.value("a key")?)),
            Argument::Long("previous") => {
                previous = Some(PathBuf::from(arguments.value("a file")?));
            }
            Argument::Long("into") => into = Some(PathBuf::from(arguments.value("a table")?)),
            Argument::Long("students") => students = Some(text(arguments.value("a column")?)),
            Argument::Long("column") => column = Some(text(arguments.value("a column")?)),
            Argument::Long("one") => one = Some(text(arguments.value("a key")?)),
            Argument::Long("image") => image = Some(text(arguments.value("a name")?)),
            Argument::Long("probe") => probe = true,
            Argument::Long("seed") => seed = Some(PathBuf::from(arguments.value("a file")?)),
            Argument::Long("with") => with = Some(PathBuf::from(arguments.value("a folder")?)),
            Argument::Long("variants") => table = Some(PathBuf::from(arguments.value("a file")?)),
            Argument::Long("find-the-fault") => task = Task::Fault,
            Argument::Long("pattern") => pattern = text(arguments.value("a pattern")?),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    if places.first().is_some_and(|place| place.as_os_str() == "write") {
        let folder = match (places.len(), &into) {
            (2, Some(_)) | (3, None) => &places[places.len() - 1],
            (_, Some(_)) => return Err(USAGE.needs("one folder of results to fill a table from")),
            (_, None) => return Err(USAGE.needs("a format and a folder of results")),
        };
        let export = Export {
            folder,
            chapters: chapters.into_iter().map(|chapter| chapter.name).collect(),
            key: key.as_deref(),
            level,
            out: out.as_deref(),
        };
        return match into {
            Some(table) => {
                let missing = |option| USAGE.needs(&format!("`{option}`, the head of a column"));
                export.fill(
                    &table,
                    &Columns {
                        students: &students.ok_or_else(|| missing("--students COLUMN"))?,
                        points: &column.ok_or_else(|| missing("--column COLUMN"))?,
                        pattern: &pattern,
                    },
                )
            }
            None => export.write(format_of(places[1].as_os_str())?, previous.as_deref()),
        };
    }
    if places.first().is_some_and(|place| place.as_os_str() == "probe") {
        let [_, system] = places.as_slice() else { return Err(USAGE.needs("a system to probe")) };
        return probe_here(system_of(system.as_os_str())?, out.as_deref());
    }
    let out = out.ok_or_else(|| USAGE.needs("`--out`, a place for what it makes"))?;
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
    if places[0].as_os_str() == "package" {
        let [_, system] = places.as_slice() else { return Err(USAGE.needs("a system")) };
        let package = Package {
            chapters: &chapters,
            points: Some(scheme_text.as_str()).filter(|text| !text.is_empty()),
            level,
            image: image.as_deref(),
            probe,
        };
        return package.make(system_of(system.as_os_str())?, &out);
    }
    if task == Task::Fault && table.is_none() {
        return Err(USAGE.needs("`--variants FILE` for `--find-the-fault`"));
    }
    let with = with.as_deref().map(With::read).transpose()?;
    let variants = table.map(|table| Variants::read(&table, task)).transpose()?;
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let submissions = places;
    run::run(&Options {
        submissions,
        one,
        out,
        chapters,
        jobs,
        again,
        shard,
        seed,
        scheme,
        scheme_text,
        level,
        with,
        variants,
    })
}

/// `cargo xtask variant`.
fn variants(mut arguments: Arguments) -> Result {
    let (mut seeds, mut chapters, mut solved) = (Vec::new(), Vec::new(), false);
    let (mut out, mut table) = (PathBuf::from("variants"), None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("seed") => seeds.push(text(arguments.value("a word for a student")?)),
            Argument::Long("chapters") => {
                let named = arguments.value("chapters, such as `ch2,ch3`")?;
                for name in named.to_string_lossy().split(',').filter(|name| !name.is_empty()) {
                    chapters.push(Chapter::find(name)?);
                }
            }
            Argument::Long("out") => out = PathBuf::from(arguments.value("a folder")?),
            Argument::Long("variants") => table = Some(PathBuf::from(arguments.value("a file")?)),
            Argument::Long("solutions") => solved = true,
            other => return Err(VARIANT.unexpected(other)),
        }
    }
    if chapters.is_empty() {
        chapters = variant::chapters()?;
    }
    // The tasks do not matter: both are made.
    let students: Vec<(String, String)> = match &table {
        Some(_) if !seeds.is_empty() => {
            return Err(Failure::usage("`--variants` has the seeds").help("leave out `--seed`"));
        }
        Some(file) => {
            let table = Variants::read(file, Task::Exercise)?;
            table.all().map(|(key, seed)| (key.to_owned(), seed.to_owned())).collect()
        }
        None if seeds.is_empty() => {
            return Err(VARIANT.needs("`--seed STUDENT`, or a table with `--variants FILE`"));
        }
        None => seeds.iter().map(|seed| (seed.clone(), seed.clone())).collect(),
    };
    if let Some((key, _)) = students.iter().find(|(key, _)| !is_a_name(key)) {
        return Err(Failure::usage(format!("`{}` cannot name a folder", plain(key)))
            .help("take a name without `/` that does not begin with a dot"));
    }
    for (key, seed) in &students {
        for chapter in &chapters {
            for task in Task::ALL {
                let handout = variant::draw(chapter, seed, task)?;
                handout.write(chapter, task, &out.join(key), solved)?;
            }
        }
        screen::print(&format!("{}\n", plain(&out.join(key).display().to_string())));
    }
    if table.is_none() {
        let file = out.join("variants.toml");
        keep(&file, variant::table(&seeds).as_bytes())?;
        screen::print(&format!(
            "{} is for `grade --variants`\n",
            plain(&file.display().to_string())
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn is_a_name(key: &str) -> bool {
    !key.is_empty() && !key.starts_with('.') && !key.contains(['/', '\0'])
}

fn text(word: OsString) -> String {
    word.to_string_lossy().into_owned()
}

fn format_of(word: &OsStr) -> Result<Format> {
    let format = Format::ALL.into_iter().find(|format| word == format.word());
    format.ok_or_else(|| {
        let failure = Failure::usage(format!("`{}` is no format", word.display()));
        let words = Format::ALL.map(Format::word);
        failure.help(match nearest(&word.to_string_lossy(), words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", words.join(", ")),
        })
    })
}

fn system_of(word: &OsStr) -> Result<System> {
    let system = System::ALL.into_iter().find(|system| word == system.word());
    system.ok_or_else(|| {
        let words = System::ALL.map(System::word).join(", ");
        Failure::usage(format!("`{}` is no system that takes a package", word.display()))
            .help(format!("there are {words}"))
    })
}

/// Says in a system's format what the doctor finds on this machine.
fn probe_here(system: System, out: Option<&Path>) -> Result {
    let examination = doctor::examine();
    let chapters = Chapter::all()?.into_iter();
    let chapters = chapters.map(|it| (it.name.clone(), examination.can_check(it.number())));
    let refused = examination.findings.iter().filter_map(|finding| match &finding.answer {
        Answer::Refused(refusal, advice) => {
            Some(format!("{refusal}\n{}\n{}", advice.cause, advice.remedy))
        }
        _ => None,
    });
    let probed = Probed { chapters: chapters.collect(), refused: refused.collect() };
    let value = match system {
        System::Gradescope => writers::probe::gradescope(&probed),
        System::PrairieLearn => writers::probe::prairielearn(&probed),
        System::Classroom50 | System::Autolab => {
            return Err(Failure::usage(format!("there is no probe for `{}`", system.word()))
                .help("`cargo xtask doctor` says there what is refused"));
        }
    };
    let text = format!("{value:#}\n");
    match out {
        Some(file) => keep(file, text.as_bytes())?,
        None => screen::print(&text),
    }
    Ok(ExitCode::SUCCESS)
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
