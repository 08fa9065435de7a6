//! `cargo xtask pack`: one file with all that a workshop's participants need, which works without a network.
//!
//! ```text
//! a commit ──▶ target/pack/source   its files, from which the book is built, without the solutions
//!                  │
//!                  ├──▶ target/pack/EDITION   what participants get, and the crates in `vendor`
//!                  │
//!                  └──▶ EDITION.tar.gz, and its checksum beside it
//! ```
//!
//! It is made from a commit, and not from the files as they lie, so that nobody's own work gets into it, and
//! so that two people who pack the same commit get the same bytes.

mod archive;
mod commit;
mod tree;
mod vendor;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use launch::Build;
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::cargo;
use xtask::shared::chapter::root;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::packing::USAGE;
use xtask::shared::screen;

use commit::Commit;

fn main() -> ExitCode {
    command(Arguments::new(std::env::args_os().skip(1))).unwrap_or_else(|failure| {
        failure.print();
        ExitCode::from(failure.code())
    })
}

fn command(mut arguments: Arguments) -> Result {
    let (mut out, mut pdf) = (None, true);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("out") => out = Some(PathBuf::from(arguments.value("a file")?)),
            Argument::Long("no-pdf") => pdf = false,
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let commit = Commit::of_checkout()?;
    let edition = commit.edition();
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{edition}.tar.gz")));
    archive::is_free(&out)?;

    let work = cargo::target_folder()?.join("pack");
    let (source, pack) = (work.join("source"), work.join(&edition));
    // What a pack that failed has left, perhaps of another commit.
    if work.exists() {
        fs::remove_dir_all(&work).map_err(|error| file_failure("remove", &work, &error))?;
    }
    commit.unpack(&source)?;
    let no_pdf = build_book(&source, &commit, pdf)?;
    tree::plant(&source, &pack, &commit)?;
    let crates = vendor::vendor(&pack)?;
    let packed = archive::write(&pack, &edition, &out)?;
    fs::remove_dir_all(&source).map_err(|error| file_failure("remove", &source, &error))?;
    fs::remove_dir_all(&pack).map_err(|error| file_failure("remove", &pack, &error))?;

    let mut said = format!(
        "{}: {:.1} MB\n  {} files, {:.1} MB when unpacked\n  {crates} crates in `vendor`\n",
        out.display(),
        megabytes(packed.size),
        packed.files,
        megabytes(packed.unpacked),
    );
    for (part, size) in &packed.parts {
        said += &format!("  {part:<10} {:>6.1} MB of the archive\n", megabytes(*size));
    }
    said += &match no_pdf {
        Some(why) => format!("  the book as HTML and EPUB, and not as PDF: {why}\n"),
        None => "  the book as HTML, EPUB and PDF\n".to_owned(),
    };
    said += &format!("  sha256 {}\n", packed.sha256);
    screen::print(&said);
    Ok(ExitCode::SUCCESS)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Builds the book in the files of the commit. Returns why there is no PDF, if there is none.
fn build_book(source: &Path, commit: &Commit, pdf: bool) -> Result<Option<String>> {
    const BUILD: Build =
        Build { what: "the book's builder", first_time: "two minutes", draws: true };
    cargo::build_tool("book", BUILD)?;
    let mut builder = Command::new(cargo::programs()?.join("book"));
    builder.arg("participants").args((!pdf).then_some("--no-pdf"));
    builder.env("SOURCE_DATE_EPOCH", commit.time.to_string()).current_dir(source);
    let output = builder.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| {
        Failure::machine(format!("could not start the book's builder: {error}"))
    })?;
    if !output.status.success() {
        return Err(Failure::new("the book could not be built; its builder says why above"));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.lines().find_map(|line| line.strip_prefix("no PDF: ").map(str::to_owned)))
}

/// A file or folder with which something could not be done.
fn file_failure(what: &str, file: &Path, error: &std::io::Error) -> Failure {
    let file = file.strip_prefix(root()).unwrap_or(file);
    Failure::file(format!("could not {what} `{}`", file.display()), error)
}
