//! `cargo xtask grade`: builds the grader, which is a package of its own because a check needs none of its
//! crates, and becomes it.

use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;
pub(crate) use crate::shared::grading::USAGE;

pub(crate) const BUILD: Build = Build { what: "the grader", first_time: "a minute", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    become_tool("grade", BUILD, arguments.words())
}
