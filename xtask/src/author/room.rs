//! `cargo xtask room`: builds the room of a workshop, which is a package of its own because a check needs no
//! web server, and becomes it.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use harness::env;
use launch::Build;

use crate::shared::arguments::Arguments;
use crate::shared::cargo::{build_tool, programs};
use crate::shared::chapter::root;
use crate::shared::failure::{Failure, Result};
pub(crate) use crate::shared::room::USAGE;

const BUILD: Build = Build { what: "the room", first_time: "half a minute", draws: true };

pub(crate) fn run(arguments: Arguments) -> Result {
    build_tool("room", BUILD)?;
    let room = programs()?.join("room");
    let error = Command::new(&room).args(arguments.words()).env(env::ROOT, root()).exec();
    Err(Failure::machine(format!("could not start `{}`: {error}", room.display())))
}
