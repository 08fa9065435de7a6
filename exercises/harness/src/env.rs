//! The environment variables through which `cargo xtask` and a check talk to each other.
//! `CONTRIBUTING.md` describes them. Those of the lab are in [`lab::env`].

use std::env::{current_exe, var_os};
use std::path::PathBuf;

pub use lab::env::{IDS, PATIENCE, SEED};

/// A path: the check runs this program instead of its package's own. So one check can be tried on
/// many programs: every classic mistake, every other right way.
pub const PROGRAM: &str = "NAMESPACES_BY_HAND_PROGRAM";

/// A path: the checkout to work in, instead of the one that Cargo runs a command for.
pub const ROOT: &str = "NAMESPACES_BY_HAND_ROOT";

/// A path: the check runs with the recorder beside it, and writes the trace of its last run there.
pub const TRACE: &str = "NAMESPACES_BY_HAND_TRACE";

/// A path: the check asks for this variant of its exercise ([`crate::variant`]).
pub const VARIANT: &str = "NAMESPACES_BY_HAND_VARIANT";

/// A path: the check writes its verdict there as JSON, and its exit status is the outcome's.
pub const VERDICT: &str = "NAMESPACES_BY_HAND_VERDICT";

/// A path: a folder with private mistakes, `chNN-slug/mistakes.toml`, which are looked up first.
pub const WITH: &str = "NAMESPACES_BY_HAND_WITH";

/// The path in one of these variables.
pub fn path(name: &str) -> Option<PathBuf> {
    var_os(name).map(PathBuf::from)
}

/// The checkout. Cargo says at run time which package it runs, and every package that asks lies two
/// levels below the root. The path is not compiled in: a checkout may move, and two may share a
/// target folder.
pub fn root() -> PathBuf {
    let package = || path("CARGO_MANIFEST_DIR").unwrap_or_else(|| PathBuf::from("."));
    path(ROOT).unwrap_or_else(|| package().join("../.."))
}

/// The program `name` of the package whose check this is. `built` is where the compiler was told that
/// it is, which is no longer true in a checkout that has moved.
pub fn program(name: &str, built: &str) -> PathBuf {
    // Set when Cargo 1.94 or newer runs a test.
    let by_cargo = || path(&format!("CARGO_BIN_EXE_{name}"));
    // A test is in the folder `deps` beside the programs.
    let beside = || {
        let test = current_exe().ok()?;
        Some(test.parent()?.parent()?.join(name)).filter(|program| program.is_file())
    };
    path(PROGRAM).or_else(by_cargo).or_else(beside).unwrap_or_else(|| PathBuf::from(built))
}
