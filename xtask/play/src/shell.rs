//! `cargo xtask shell`: a shell in a sandbox, to play in.

use std::path::{Path, PathBuf};

use harness::sandbox::{Run, Sandbox, State};

use crate::live;
use crate::run::{Streams, as_state, has_terminal, watched};
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::cargo::{build_examples, build_programs, programs};
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::pack;
use xtask::shared::play::SHELL;
use xtask::shared::runnable::Runnable;
use xtask::shared::screen::{self, Screen};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut state, mut solved, mut is_live) = (State::RootLab, false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("as") => state = as_state(&mut arguments)?,
            Argument::Long("solutions") if pack::edition().is_some() => {
                return Err(pack::lacks("no solutions"));
            }
            Argument::Long("solutions") => solved = true,
            Argument::Long("live") => is_live = true,
            other => return Err(SHELL.unexpected(other)),
        }
    }
    let shell = shell()?;
    let (role, prompt) = match state {
        State::RootLab => ("root", "lab# "),
        State::PlainUser => ("an ordinary user", "lab$ "),
    };
    // With many ids if the machine grants them: two sessions of chapter 5 need them.
    let sandbox = Sandbox::command(shell).state(state).env("PS1", prompt).many_ids();
    let sandbox = if solved {
        solved_chapters(sandbox)?
    } else {
        build_what_is_stale()?;
        with_programs(sandbox)?
    };
    if has_terminal() {
        screen::warn(&format!(
            "you are {role} in a sandbox: nothing that you do in it affects your machine, and `exit` destroys it\n"
        ));
    }
    let draw = |run: &Run| if is_live { live::start(run) } else { Ok(()) };
    watched(sandbox, Streams::Own, draw).map(|(_, code)| code)
}

/// The shell that a reader gets in a lab.
pub(crate) fn shell() -> Result<&'static str> {
    let shell = ["/bin/bash", "/bin/sh"].into_iter().find(|shell| Path::new(shell).exists());
    shell.ok_or_else(|| Failure::machine("there is no /bin/sh on this machine"))
}

/// Adds the solutions under the names of the exercises, and the examples. The sessions in the pages were
/// recorded with these programs.
fn solved_chapters(mut sandbox: Sandbox) -> Result<Sandbox> {
    let (chapters, folder) = (Chapter::all()?, programs()?);
    let solution = |chapter: &Chapter| format!("{}-solution", chapter.name);
    build_programs(&chapters.iter().map(solution).collect::<Vec<_>>(), Screen::stdout())?;
    let examples = Runnable::examples()?;
    let mut with_examples: Vec<_> =
        examples.iter().map(|(chapter, _)| chapter.name.clone()).collect();
    with_examples.dedup();
    build_examples(&with_examples, Screen::stdout())?;
    let solutions =
        chapters.iter().map(|chapter| (chapter.name.clone(), folder.join(solution(chapter))));
    for (name, program) in solutions.chain(examples_in(&folder)?) {
        if program.is_file() {
            sandbox = sandbox.show(&name, program);
        }
    }
    Ok(sandbox)
}

/// Where Cargo puts the worked examples, among its `programs`.
fn examples_in(programs: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = programs.join("examples");
    let examples = Runnable::examples()?.into_iter();
    Ok(examples.map(|(_, name)| (name.clone(), folder.join(name))).collect())
}

/// Builds the exercises again that the reader has edited since they were built. What does not compile
/// stays as it is, and the compiler says why.
fn build_what_is_stale() -> Result<()> {
    let folder = programs()?;
    let modified = |file: &Path| file.metadata().and_then(|about| about.modified()).ok();
    let is_stale = |chapter: &Chapter| {
        let built = modified(&folder.join(&chapter.name));
        built.is_some_and(|built| modified(&chapter.program()).is_some_and(|edited| edited > built))
    };
    let stale = Chapter::all()?.into_iter().filter(is_stale).map(|chapter| chapter.name);
    let stale: Vec<String> = stale.collect();
    if stale.is_empty() { Ok(()) } else { build_programs(&stale, Screen::stdout()) }
}

/// Adds the programs of the exercises and solutions, and the examples, to `/lab`.
pub(crate) fn with_programs(mut sandbox: Sandbox) -> Result<Sandbox> {
    for (name, program) in built()? {
        sandbox = sandbox.show(&name, program);
    }
    Ok(sandbox)
}

/// The programs of the exercises and solutions, and the examples, that have been built.
pub(crate) fn built() -> Result<Vec<(String, PathBuf)>> {
    let folder = programs()?;
    let names = Chapter::all()?.into_iter().map(|chapter| chapter.name);
    let names = names.flat_map(|name| [format!("{name}-solution"), name]);
    let programs = names.map(|name| (name.clone(), folder.join(name)));
    let programs = programs.chain(examples_in(&folder)?);
    Ok(programs.filter(|(_, program)| program.is_file()).collect())
}
