//! `cargo xtask variant`: homework whose answers are on no page, for each student another. The grader makes it, and
//! checks it with the same seed.

use crate::author::grade::BUILD;
use crate::shared::arguments::Arguments;
use crate::shared::cargo::become_command;
use crate::shared::failure::Result;
pub(crate) use crate::shared::grading::VARIANT as USAGE;

pub(crate) fn run(arguments: Arguments) -> Result {
    become_command("grade", BUILD, &USAGE, arguments)
}
