//! `cargo xtask live`: the parts of the machine that runs in a page of the book, built from pinned packages.
//!
//! ```text
//! packages.lock  ──▶  packages    fetched by apt's own helper, which compares the digest
//! kernel.config  ──▶  kernel      a Linux for i686, as small as the sessions of the book allow
//! solutions      ──▶  programs    the chapters' programs and the agent as one static program for i686
//! ```
//!
//! All of it is in `target/live`, and a part that is there already is not built again.

mod kernel;
mod packages;
mod programs;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use lexopt::prelude::*;
use packages::Packages;

/// Set by `cargo xtask`: the checkout.
const ROOT: &str = "NAMESPACES_BY_HAND_ROOT";

/// A part: what it is called, and what builds it.
type Part = (&'static str, fn(&Path, &Packages) -> Result<PathBuf>);

const PARTS: [Part; 2] = [("programs", programs::build), ("kernel", kernel::build)];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn run() -> Result<()> {
    let mut wanted = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(name) => wanted.push(part(&name.string()?)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let checkout = std::env::var_os(ROOT).context("call it as `cargo xtask live`")?;
    let checkout = PathBuf::from(checkout).canonicalize()?;
    let packages = Packages::new(&checkout.join("target/live"))?;
    for (name, build) in if wanted.is_empty() { PARTS.to_vec() } else { wanted } {
        println!("building the {name} …");
        let built = build(&checkout, &packages).with_context(|| format!("no {name}"))?;
        println!("built {}", built.strip_prefix(&checkout).unwrap_or(&built).display());
    }
    Ok(())
}

fn part(name: &str) -> Result<Part> {
    let found = PARTS.into_iter().find(|(part, _)| *part == name);
    let names = PARTS.map(|(part, _)| part).join(", ");
    found.with_context(|| format!("there is no part `{name}`\nhelp: there are {names}"))
}

/// Runs a command to its end.
fn done(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status();
    let status = status.with_context(|| format!("could not start `{name}`"))?;
    ensure!(status.success(), "`{name}` failed; it says why above");
    Ok(())
}

/// Whether a program of this machine can be started.
fn needs(program: &str, package: &str) -> Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    if !path.split(':').any(|folder| Path::new(folder).join(program).is_file()) {
        bail!("`{program}` is not installed\nhelp: apt install {package}");
    }
    Ok(())
}
