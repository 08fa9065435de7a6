//! `cargo xtask shell`: a shell in a sandbox, to play in.

use std::path::Path;

use harness::sandbox::{Sandbox, State};

use crate::reader::run::{AS, as_state, has_terminal, in_sandbox};
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo::{build_programs, programs};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::screen::{self, Screen};

pub(crate) const USAGE: Usage = Usage {
    name: "shell",
    forms: &[("", "a shell in a sandbox, to play in")],
    options: &[AS, ("--solutions", "with the chapters' programs finished, as in the book")],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut state, mut solved) = (State::RootLab, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("as") => state = as_state(&mut arguments)?,
            Argument::Long("solutions") => solved = true,
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let shell = ["/bin/bash", "/bin/sh"].into_iter().find(|shell| Path::new(shell).exists());
    let shell = shell.ok_or_else(|| Failure::machine("there is no /bin/sh on this machine"))?;
    let (role, prompt) = match state {
        State::RootLab => ("root", "lab# "),
        State::PlainUser => ("an ordinary user", "lab$ "),
    };
    // With many ids if the machine grants them: two sessions of chapter 5 need them.
    let sandbox = Sandbox::command(shell).state(state).env("PS1", prompt).many_ids();
    let sandbox = if solved { solved_chapters(sandbox)? } else { with_programs(sandbox)? };
    if has_terminal() {
        screen::warn(&format!(
            "you are {role} in a sandbox: nothing that you do in it affects your machine, and `exit` destroys it\n"
        ));
    }
    in_sandbox(sandbox)
}

/// Adds the solutions under the names of the exercises. The sessions in the pages were recorded with
/// these programs.
fn solved_chapters(mut sandbox: Sandbox) -> Result<Sandbox> {
    let (chapters, folder) = (Chapter::all()?, programs()?);
    let solution = |chapter: &Chapter| format!("{}-solution", chapter.name);
    build_programs(&chapters.iter().map(solution).collect::<Vec<_>>(), Screen::stdout())?;
    for chapter in &chapters {
        let program = folder.join(solution(chapter));
        if program.is_file() {
            sandbox = sandbox.show(&chapter.name, program);
        }
    }
    Ok(sandbox)
}

/// Adds the programs of the exercises and solutions to `/lab`.
pub(crate) fn with_programs(mut sandbox: Sandbox) -> Result<Sandbox> {
    for (name, program) in built()? {
        sandbox = sandbox.show(&name, program);
    }
    Ok(sandbox)
}

/// The programs of the exercises and solutions that have been built.
pub(crate) fn built() -> Result<Vec<(String, std::path::PathBuf)>> {
    let folder = programs()?;
    let names = Chapter::all()?.into_iter().map(|chapter| chapter.name);
    let names = names.flat_map(|name| [format!("{name}-solution"), name]);
    let programs = names.map(|name| (name.clone(), folder.join(name)));
    Ok(programs.filter(|(_, program)| program.is_file()).collect())
}
