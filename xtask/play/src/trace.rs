//! `cargo xtask trace`: what a program does to its namespaces, call by call.

mod text;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::sandbox::{NoTrace, Sandbox, State};
use harness::trace::Trace;

use crate::run::{self, Streams};
use crate::shell;
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::cargo::Built;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::json;
use xtask::shared::play::TRACE;
use xtask::shared::runnable::Runnable;
use xtask::shared::screen::{self, Screen};

/// What the command line asks for.
struct Options {
    state: State,
    json: bool,
    html: Option<PathBuf>,
    /// A trace that was kept, instead of a run.
    from: Option<PathBuf>,
    runnable: Option<Runnable>,
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: Arguments) -> Result {
    let options = parse(arguments)?;
    let (trace, code) = match &options.from {
        Some(file) => (read(file)?, ExitCode::SUCCESS),
        None => match sandbox(&options)? {
            Some(sandbox) => record(sandbox.state(options.state))?,
            // The compiler has said why.
            None => return Ok(ExitCode::FAILURE),
        },
    };
    if let Some(file) = &options.html {
        let written = fs::write(file, figures::page(&trace));
        written.map_err(|error| {
            Failure::file(format!("could not write `{}`", file.display()), &error)
        })?;
    }
    match (options.json, &options.html) {
        (true, _) => screen::print(&json::harmless(&trace.to_json_lines())),
        (false, Some(file)) => screen::print(&format!("the trace is in {}\n", file.display())),
        (false, None) => text::print(&trace, Screen::stdout()),
    }
    if !trace.complete {
        screen::warn("note: the trace ends in the middle: its last line is missing\n");
    }
    Ok(code)
}

fn parse(arguments: Arguments) -> Result<Options> {
    let mut arguments = arguments.for_program();
    let mut options = Options {
        state: State::RootLab,
        json: false,
        html: None,
        from: None,
        runnable: None,
        arguments: Vec::new(),
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("as") => options.state = run::as_state(&mut arguments)?,
            Argument::Long("json") => options.json = true,
            Argument::Long("html") => options.html = Some(arguments.value("a file")?.into()),
            Argument::Long("from") => options.from = Some(arguments.value("a file")?.into()),
            Argument::Value(name) if options.runnable.is_none() => {
                options.runnable = Some(Runnable::find(name)?);
            }
            other => return Err(TRACE.unexpected(other)),
        }
    }
    options.arguments = arguments.program();
    let runs = options.runnable.is_some() || !options.arguments.is_empty();
    match (&options.from, runs) {
        (None, false) => Err(TRACE.needs("a chapter or a program")),
        (Some(_), true) => {
            Err(Failure::usage("`--from` shows a trace that is kept, and runs nothing")
                .help("leave out one or the other"))
        }
        _ => Ok(options),
    }
}

/// The run that is asked for; `None` when the exercise does not compile.
fn sandbox(options: &Options) -> Result<Option<Sandbox>> {
    if let Some(runnable) = &options.runnable {
        return match runnable.build(Screen::stdout())? {
            Built::Yes(program) => Ok(Some(
                shell::with_programs(Sandbox::new(program))?
                    .args(options.arguments.iter().cloned()),
            )),
            Built::No => Ok(None),
        };
    }
    let Some((program, arguments)) = options.arguments.split_first() else { return Ok(None) };
    let sandbox = match find(program)? {
        Place::Inside(path) => Sandbox::command(&path.to_string_lossy()),
        Place::Outside(path) => Sandbox::new(path),
    };
    Ok(Some(shell::with_programs(sandbox)?.args(arguments.iter().cloned())))
}

/// Where a program is.
enum Place {
    /// A path that every sandbox has.
    Inside(PathBuf),
    /// A file of this machine, to be shown inside.
    Outside(PathBuf),
}

fn find(program: &OsStr) -> Result<Place> {
    let (path, shown) = (Path::new(program), program.display());
    if program.as_bytes().contains(&b'/') {
        let found = fs::metadata(path)
            .map_err(|error| Failure::new(format!("could not run `{shown}`: {error}")))?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(Failure::new(format!("could not run `{shown}`: it is not executable"))
                .help(format!("is it a program? `chmod +x {shown}` makes a script one")));
        }
        let inside = ["/usr", "/bin", "/sbin"].iter().any(|folder| path.starts_with(folder));
        let path = path.to_owned();
        return Ok(if inside { Place::Inside(path) } else { Place::Outside(path) });
    }
    if let Some((_, path)) = shell::built()?.into_iter().find(|(name, _)| program == name.as_str())
    {
        return Ok(Place::Outside(path));
    }
    let folders = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"];
    let paths = folders.iter().map(|folder| Path::new(folder).join(program));
    let found = paths.into_iter().find(|path| path.is_file());
    found.map(Place::Inside).ok_or_else(|| {
        Failure::new(format!("could not run `{shown}`: no such program"))
            .help("name a program of this machine, or the path of one")
    })
}

/// Runs it with the reader's input. What it prints goes to standard error: standard output is for the
/// trace.
fn record(sandbox: Sandbox) -> Result<(Trace, ExitCode)> {
    let (mut run, code) = run::to_its_end(sandbox.record(), Streams::Aside)?;
    let trace = run.trace().map_err(|why| match why {
        NoTrace::Refused(_) => Failure::machine(format!("could not record the run: {why}")).help(
            "the program ran, and everything but `trace` works without it; `cargo xtask doctor` \
             says what forbids ptrace(2) here",
        ),
        _ => Failure::new(format!("could not record the run: {why}"))
            .help("run it again; if it happens again, please report it"),
    })?;
    Ok((trace, code))
}

fn read(file: &Path) -> Result<Trace> {
    let shown = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("could not read `{shown}`: {error}")))?;
    Trace::from_json_lines(&text).map_err(|why| {
        Failure::new(format!("could not read `{shown}` as a trace: {why}"))
            .help("`cargo xtask trace --json … > FILE` writes one")
    })
}
