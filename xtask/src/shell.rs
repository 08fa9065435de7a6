//! `cargo xtask shell`: a shell in a sandbox, to play in.

use std::path::Path;

use harness::sandbox::{Sandbox, State};

use crate::cargo::programs;
use crate::chapter::Chapter;
use crate::failure::{Failure, Result};
use crate::run::{has_terminal, in_sandbox, state};
use crate::screen;

const USAGE: &str = "cargo xtask shell [--as root-lab|plain-user]";

pub(crate) fn run(words: &[&str]) -> Result {
    let (state, others) = state(words, USAGE)?;
    if let Some(unknown) = others.first() {
        return Err(Failure::usage(format!("shell does not know `{unknown}`")).help(USAGE));
    }
    let shell = ["/bin/bash", "/bin/sh"].into_iter().find(|shell| Path::new(shell).exists());
    let shell = shell.ok_or_else(|| Failure::machine("there is no /bin/sh on this machine"))?;
    let (who, prompt) = match state {
        State::RootLab => ("root", "lab# "),
        State::PlainUser => ("an ordinary user", "lab$ "),
    };
    let sandbox = furnished(Sandbox::command(shell).state(state).env("PS1", prompt))?;
    if has_terminal() {
        screen::warn(&format!(
            "you are {who} in a sandbox: nothing you do here leaves it, and `exit` ends it for good\n"
        ));
    }
    in_sandbox(sandbox)
}

/// Shows the programs of the exercises and solutions in `/lab`.
pub(crate) fn furnished(mut sandbox: Sandbox) -> Result<Sandbox> {
    for (name, program) in built()? {
        sandbox = sandbox.show(&name, program);
    }
    Ok(sandbox)
}

/// The programs of the exercises and solutions, as far as they have been built.
pub(crate) fn built() -> Result<Vec<(String, std::path::PathBuf)>> {
    let folder = programs()?;
    let names = Chapter::all()?.into_iter().map(|chapter| chapter.name);
    let names = names.flat_map(|name| [format!("{name}-solution"), name]);
    let programs = names.map(|name| (name.clone(), folder.join(name)));
    Ok(programs.filter(|(_, program)| program.is_file()).collect())
}
