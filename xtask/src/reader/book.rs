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
    options: &[
        ("--open", "in a browser, too"),
        ("--port NUMBER", "at this port instead of 3000"),
        ("--pdf FILE", "print it to a file instead; this takes a Chromium"),
        ("--part teaching", "with --pdf: the part for teachers, which is printed apart"),
        ("--epub FILE", "write it for an e-book reader instead"),
    ],
};

/// What the reader of a fresh clone waits for.
const BUILD: Build = Build { what: "the book's builder", first_time: "two minutes", draws: true };

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut open, mut port, mut part, mut files) = (false, None, None, Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("open") => open = true,
            Argument::Long("port") => port = Some(arguments.value("a number")?),
            Argument::Long("pdf") => files.push(("pdf", arguments.value("a file")?)),
            Argument::Long("part") => part = Some(arguments.value("a part of the book")?),
            Argument::Long("epub") => files.push(("epub", arguments.value("a file")?)),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    if part.is_some() && !files.iter().any(|(kind, _)| *kind == "pdf") {
        return Err(USAGE.needs("--pdf FILE for the part"));
    }
    cargo::build_tool("book", BUILD)?;
    let builder = |command| {
        let mut builder = cargo::command();
        builder.args(["run", "--quiet", "--package", "book", "--", command]);
        builder
    };
    if !files.is_empty() {
        for (kind, file) in files {
            // Cargo runs the builder in the checkout, and the reader may be elsewhere.
            let file = std::path::absolute(file).map_err(Failure::usage)?;
            let mut builder = builder(kind);
            builder.arg(file).args(part.iter().filter(|_| kind == "pdf"));
            let status = builder.status().map_err(cargo::not_started)?;
            if !status.success() {
                return Ok(ExitCode::FAILURE);
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut book = builder("serve");
    book.args(open.then_some("--open"));
    if let Some(port) = port {
        book.arg("--port").arg(port);
    }
    let status = book.status().map_err(cargo::not_started)?;
    // A signal ends it when the reader does.
    Ok(ExitCode::from(status.code().map_or(130, |code| code as u8)))
}
