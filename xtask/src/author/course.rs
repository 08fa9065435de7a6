//! `cargo xtask verify` and `cargo xtask bench`: they build the program that has both, which is a package of its own
//! because a learner compiles this one, and become it.

use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::authoring::{BENCH, VERIFY};
use crate::shared::cargo::become_command;
use crate::shared::failure::Result;

const BUILD: Build = Build { what: "the authors' tools", first_time: "ten seconds", draws: true };

pub(crate) fn verify(arguments: Arguments) -> Result {
    become_command("author", BUILD, &VERIFY, arguments)
}

pub(crate) fn bench(arguments: Arguments) -> Result {
    become_command("author", BUILD, &BENCH, arguments)
}
