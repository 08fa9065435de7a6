//! `cargo xtask run`, `trace`, `shell` and `challenge`: they build the program that runs something in a lab before
//! the reader's eyes, which is a package of its own because a check needs none of it, and become it.

use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::cargo::become_command;
use crate::shared::failure::Result;
use crate::shared::play::{CHALLENGE, RUN, SHELL, TRACE};

const BUILD: Build =
    Build { what: "what runs and draws in a lab", first_time: "ten seconds", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    become_command("play", BUILD, &RUN, arguments)
}

pub(crate) fn trace(arguments: Arguments) -> Result {
    become_command("play", BUILD, &TRACE, arguments)
}

pub(crate) fn shell(arguments: Arguments) -> Result {
    become_command("play", BUILD, &SHELL, arguments)
}

pub(crate) fn challenge(arguments: Arguments) -> Result {
    become_command("play", BUILD, &CHALLENGE, arguments)
}
