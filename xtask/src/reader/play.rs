//! `cargo xtask run`, `trace`, `shell` and `challenge`: they build the program that runs something in a lab before
//! the reader's eyes, which is a package of its own because a check needs none of it, and become it.

use std::ffi::OsString;

use launch::Build;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;
use crate::shared::play::{CHALLENGE, RUN, SHELL, TRACE};

const BUILD: Build =
    Build { what: "what runs and draws in a lab", first_time: "ten seconds", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    play(RUN, arguments)
}

pub(crate) fn trace(arguments: Arguments) -> Result {
    play(TRACE, arguments)
}

pub(crate) fn shell(arguments: Arguments) -> Result {
    play(SHELL, arguments)
}

pub(crate) fn challenge(arguments: Arguments) -> Result {
    play(CHALLENGE, arguments)
}

fn play(command: Usage, arguments: Arguments) -> Result {
    let words = std::iter::once(OsString::from(command.name)).chain(arguments.words());
    become_tool("play", BUILD, words.collect())
}
