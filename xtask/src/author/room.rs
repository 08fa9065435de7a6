//! `cargo xtask room`: builds the room of a workshop, which is a package of its own because a check needs no
//! web server, and becomes it.

use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;
pub(crate) use crate::shared::room::USAGE;

const BUILD: Build = Build { what: "the room", first_time: "half a minute", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    become_tool("room", BUILD, arguments.words())
}
