//! `cargo xtask pack`: builds the packer, which is a package of its own because a check needs none of its
//! crates, and becomes it.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use harness::env;
use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::cargo::{build_tool, programs};
use crate::shared::chapter::root;
use crate::shared::failure::{Failure, Result};
pub(crate) use crate::shared::packing::USAGE;

const BUILD: Build = Build { what: "the packer", first_time: "a minute", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    build_tool("pack", BUILD)?;
    let packer = programs()?.join("pack");
    let error = Command::new(&packer).args(arguments.words()).env(env::ROOT, root()).exec();
    Err(Failure::machine(format!("could not start `{}`: {error}", packer.display())))
}
