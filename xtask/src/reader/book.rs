//! `cargo xtask book`: builds and serves the book. Its builder is a package of its own, because
//! mdBook is a hundred crates and a check needs none of them. A workshop's copy has the book already built.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use launch::Build;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo;
use crate::shared::chapter::{root, shown};
use crate::shared::failure::{Failure, Result};
use crate::shared::{pack, screen};

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
    if pack::edition().is_some() {
        return packed(open, port.is_some(), &files);
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

/// Shows the book that was packed, or copies its files.
fn packed(open: bool, port: bool, files: &[(&str, OsString)]) -> Result {
    let built = root().join("book/book");
    if port {
        return Err(Failure::usage("this copy of the course has the book's pages as files")
            .help("without `--port` the command says where they are"));
    }
    for (kind, file) in files {
        let ready = built.join(format!("linux-namespaces-by-hand.{kind}"));
        let file = PathBuf::from(file);
        if !ready.is_file() {
            return Err(pack::lacks(&format!("no {}", kind.to_uppercase())));
        }
        fs::copy(&ready, &file).map_err(|error| {
            Failure::file(format!("could not write `{}`", file.display()), &error)
        })?;
        screen::print(&format!("wrote {}\n", file.display()));
    }
    if files.is_empty() {
        let index = built.join("index.html");
        screen::print(&format!("the book is in this copy: {}\n", shown(&index)));
        if open {
            let mut browser = Command::new("xdg-open");
            browser.arg(&index).stdout(Stdio::null()).stderr(Stdio::null());
            if let Err(error) = browser.spawn() {
                return Err(Failure::machine(format!("could not start xdg-open: {error}"))
                    .help(format!("open {} in a browser", index.display())));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
