//! `cargo xtask book`: builds and serves the book. Its builder is a package of its own, because
//! mdBook is a hundred crates and a check needs none of them.

use std::process::{Command, ExitCode};

use crate::chapter::root;
use crate::failure::{Failure, Result};

pub(crate) fn run(words: &[&str]) -> Result {
    if matches!(words, ["--help" | "-h" | "help", ..]) {
        return Err(Failure::usage("usage: cargo xtask book [--open] [--port N]"));
    }
    eprintln!("building the book (the first time, mdBook is compiled: about a minute)");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--package", "book", "--", "serve"])
        .args(words)
        .current_dir(root())
        .status()
        .map_err(|error| Failure::new(format!("could not start cargo: {error}")))?;
    Ok(ExitCode::from(status.code().map_or(1, |code| code as u8)))
}
