//! `cargo xtask book`: builds and serves the book. Its builder is a package of its own, because
//! mdBook is a hundred crates and a check needs none of them.

use std::process::ExitCode;

use launch::Build;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo;
use crate::shared::failure::{Failure, Result};

pub(crate) const USAGE: Usage = Usage {
    name: "book",
    forms: &[("", "build the book, serve it, and build it again on a change")],
    options: &[("--open", "in a browser, too"), ("--port NUMBER", "at this port instead of 3000")],
};

/// What the reader of a fresh clone waits for.
const BUILD: Build = Build { what: "the book's builder", first_time: "two minutes", draws: true };

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut open, mut port) = (false, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("open") => open = true,
            Argument::Long("port") => port = Some(arguments.value("a number")?),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let mut build = cargo::command();
    build.args(["build", "--package", "book"]);
    if !cargo::build_aloud(build, BUILD, drop)?.0.success() {
        return Err(Failure::machine(
            "the book's builder could not be built; cargo says why above",
        ));
    }
    let mut book = cargo::command();
    book.args(["run", "--quiet", "--package", "book", "--", "serve"]);
    book.args(open.then_some("--open"));
    if let Some(port) = port {
        book.arg("--port").arg(port);
    }
    let status = book.status().map_err(cargo::not_started)?;
    // A signal ends it when the reader does.
    Ok(ExitCode::from(status.code().map_or(130, |code| code as u8)))
}
