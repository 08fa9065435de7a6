//! `cargo xtask variant`: homework whose answers are on no page, for each student another. The grader makes it, and
//! checks it with the same seed.

use std::ffi::OsString;

use crate::author::grade::BUILD;
use crate::shared::arguments::Arguments;
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;
pub(crate) use crate::shared::grading::VARIANT as USAGE;

pub(crate) fn run(arguments: Arguments) -> Result {
    let words = std::iter::once(OsString::from(USAGE.name)).chain(arguments.words());
    become_tool("grade", BUILD, words.collect())
}
