//! `cargo xtask verify` and `cargo xtask bench`: they build the program that has both, which is a package of its own
//! because a learner compiles this one, and become it.

use std::ffi::OsString;

use launch::Build;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::authoring::{BENCH, VERIFY};
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;

const BUILD: Build = Build { what: "the authors' tools", first_time: "ten seconds", draws: true };

pub(crate) fn verify(arguments: Arguments) -> Result {
    become_author(VERIFY, arguments)
}

pub(crate) fn bench(arguments: Arguments) -> Result {
    become_author(BENCH, arguments)
}

fn become_author(command: Usage, arguments: Arguments) -> Result {
    let words = std::iter::once(OsString::from(command.name)).chain(arguments.words());
    become_tool("author", BUILD, words.collect())
}
