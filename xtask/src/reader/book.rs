//! `cargo xtask book`: builds and serves the book. Its builder is a package of its own, because
//! mdBook is a hundred crates and a check needs none of them.

use std::process::ExitCode;

use crate::shared::failure::Result;
use crate::shared::{cargo, screen};

pub(crate) fn run(words: &[&str]) -> Result {
    screen::warn("building the book; the first time this takes about a minute\n");
    let mut book = cargo::command();
    book.args(["run", "--quiet", "--package", "book", "--", "serve"]).args(words);
    let status = book.status().map_err(cargo::not_started)?;
    // A signal ends it when the reader does.
    Ok(ExitCode::from(status.code().map_or(130, |code| code as u8)))
}
