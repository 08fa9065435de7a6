//! `cargo xtask live`: builds the parts of the machine that is to run in the book's pages. What does it is a
//! package of its own, `xtask/live`, because a learner compiles this one.

use launch::Build;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;

pub(crate) const USAGE: Usage = Usage {
    name: "live",
    forms: &[("build [PART…]", "a kernel and programs for a machine in a page")],
    options: &[],
};

const BUILD: Build = Build { what: "the builder", first_time: "a minute", draws: true };

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let mut parts = Vec::new();
    let mut builds = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Value(word) if !builds && word == "build" => builds = true,
            Argument::Value(part) if builds => parts.push(part),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    if !builds {
        return Err(USAGE.needs("`build`"));
    }
    become_tool("live", BUILD, parts)
}
