//! `cargo xtask pack`: builds the packer, which is a package of its own because a check needs none of its
//! crates, and becomes it.

use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;
pub(crate) use crate::shared::packing::USAGE;

const BUILD: Build = Build { what: "the packer", first_time: "a minute", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    become_tool("pack", BUILD, arguments.words())
}
