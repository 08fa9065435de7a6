//! `cargo xtask book`: builds and serves the book. Its builder is a package of its own, because
//! mdBook is a hundred crates and a check needs none of them.

use std::process::ExitCode;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::failure::Result;
use crate::shared::{cargo, screen};

pub(crate) const USAGE: Usage = Usage {
    name: "book",
    forms: &[("", "build the book, serve it, and build it again on a change")],
    options: &[("--open", "in a browser, too"), ("--port NUMBER", "at this port instead of 3000")],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let mut book = cargo::command();
    book.args(["run", "--quiet", "--package", "book", "--", "serve"]);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("open") => book.arg("--open"),
            Argument::Long("port") => book.arg("--port").arg(arguments.value("a number")?),
            other => return Err(USAGE.unexpected(other)),
        };
    }
    screen::warn("building the book; the first time this takes about a minute\n");
    let status = book.status().map_err(cargo::not_started)?;
    // A signal ends it when the reader does.
    Ok(ExitCode::from(status.code().map_or(130, |code| code as u8)))
}
