//! `cargo xtask trace`: what a program does to its namespaces, call by call.

mod text;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::sandbox::{NoStory, Sandbox, State};
use harness::trace::Story;

use crate::reader::run::{self, Streams};
use crate::reader::shell;
use crate::shared::cargo::{Built, build_program};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::json;
use crate::shared::screen::{self, Screen};

const USAGE: &str = "cargo xtask trace CHAPTER [-- ARGS…], or cargo xtask trace -- PROGRAM [ARGS…]";

/// What the command line asks for.
struct Options<'a> {
    state: State,
    json: bool,
    html: Option<&'a Path>,
    /// A story that was kept, instead of a run.
    from: Option<&'a Path>,
    chapter: Option<&'a str>,
    arguments: &'a [&'a str],
}

pub(crate) fn run(words: &[&str]) -> Result {
    let options = parse(words)?;
    let (story, code) = match options.from {
        Some(file) => (read(file)?, ExitCode::SUCCESS),
        None => match sandbox(&options)? {
            Some(sandbox) => record(sandbox.state(options.state))?,
            // The compiler has said why.
            None => return Ok(ExitCode::FAILURE),
        },
    };
    if let Some(file) = options.html {
        let written = fs::write(file, figures::page(&story));
        written.map_err(|error| {
            Failure::new(format!("could not write `{}`: {error}", file.display()))
        })?;
    }
    match (options.json, options.html) {
        (true, _) => screen::print(&json::harmless(&story.to_json_lines())),
        (false, Some(file)) => screen::print(&format!("the story is in {}\n", file.display())),
        (false, None) => text::print(&story, Screen::stdout()),
    }
    if !story.complete {
        screen::warn("note: the story ends in the middle: its last line is missing\n");
    }
    Ok(code)
}

fn parse<'a>(words: &'a [&'a str]) -> Result<Options<'a>> {
    let (words, arguments) = match words.iter().position(|word| *word == "--") {
        Some(dashes) => (&words[..dashes], &words[dashes + 1..]),
        None => (words, &[][..]),
    };
    let (state, others) = run::state(words, USAGE)?;
    let mut options =
        Options { state, json: false, html: None, from: None, chapter: None, arguments };
    let mut others = others.into_iter();
    while let Some(word) = others.next() {
        let mut file = || {
            let file = others.next().map(Path::new);
            file.ok_or_else(|| Failure::usage(format!("`{word}` needs a file")).help(USAGE))
        };
        match word {
            "--json" => options.json = true,
            "--html" => options.html = Some(file()?),
            "--from" => options.from = Some(file()?),
            flag if flag.starts_with('-') => {
                return Err(Failure::usage(format!("`trace` has no option `{flag}`"))
                    .help("there are `--as STATE`, `--json`, `--html FILE` and `--from FILE`"));
            }
            name if options.chapter.is_none() => options.chapter = Some(name),
            _ => return Err(Failure::usage("trace takes one chapter").help(USAGE)),
        }
    }
    let runs = options.chapter.is_some() || !arguments.is_empty();
    match (options.from, runs) {
        (None, false) => Err(Failure::usage("trace takes a chapter or a program").help(USAGE)),
        (Some(_), true) => {
            Err(Failure::usage("`--from` shows a story that is kept, and runs nothing").help(USAGE))
        }
        _ => Ok(options),
    }
}

/// The run that is asked for; `None` when the exercise does not compile.
fn sandbox(options: &Options) -> Result<Option<Sandbox>> {
    if let Some(chapter) = options.chapter {
        let chapter = Chapter::find(chapter)?;
        return match build_program(&chapter.name, Screen::stdout())? {
            Built::Yes(program) => Ok(Some(
                shell::furnished(Sandbox::new(program))?.args(options.arguments.iter().copied()),
            )),
            Built::No => Ok(None),
        };
    }
    let Some((program, arguments)) = options.arguments.split_first() else { return Ok(None) };
    let sandbox = match find(program)? {
        Place::Inside(path) => Sandbox::command(&path),
        Place::Outside(path) => Sandbox::new(path),
    };
    Ok(Some(shell::furnished(sandbox)?.args(arguments.iter().copied())))
}

/// Where a program is.
enum Place {
    /// A path that every sandbox has.
    Inside(String),
    /// A file of this machine, to be shown inside.
    Outside(PathBuf),
}

fn find(program: &str) -> Result<Place> {
    if program.contains('/') {
        let path = Path::new(program);
        let found = fs::metadata(path)
            .map_err(|error| Failure::new(format!("could not run `{program}`: {error}")))?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(Failure::new(format!("could not run `{program}`: it is not executable"))
                .help(format!("is it a program? `chmod +x {program}` makes a script one")));
        }
        let shown = ["/usr/", "/bin/", "/sbin/"].iter().any(|folder| program.starts_with(folder));
        return Ok(if shown {
            Place::Inside(program.to_owned())
        } else {
            Place::Outside(path.to_owned())
        });
    }
    if let Some((_, path)) = shell::built()?.into_iter().find(|(name, _)| name == program) {
        return Ok(Place::Outside(path));
    }
    let folders = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"];
    let paths = folders.iter().map(|folder| format!("{folder}/{program}"));
    let found = paths.into_iter().find(|path| Path::new(path).is_file());
    found.map(Place::Inside).ok_or_else(|| {
        Failure::new(format!("could not run `{program}`: no such program"))
            .help("name a program of this machine, or the path of one")
    })
}

/// Runs it where the reader is. What it prints goes to standard error: standard output is for the
/// story.
fn record(sandbox: Sandbox) -> Result<(Story, ExitCode)> {
    let (mut run, code) = run::live(sandbox.record(), Streams::Aside)?;
    let story = run.story().map_err(|why| match why {
        NoStory::Refused(_) => Failure::machine(format!("could not record the run: {why}")).help(
            "the program ran, and everything but `trace` works without it; `cargo xtask doctor` \
             says what forbids ptrace(2) here",
        ),
        _ => Failure::new(format!("could not record the run: {why}"))
            .help("run it again; if it happens again, please report it"),
    })?;
    Ok((story, code))
}

fn read(file: &Path) -> Result<Story> {
    let shown = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("could not read `{shown}`: {error}")))?;
    Story::from_json_lines(&text).map_err(|why| {
        Failure::new(format!("could not read `{shown}` as a story: {why}"))
            .help("`cargo xtask trace --json … > FILE` writes one")
    })
}
