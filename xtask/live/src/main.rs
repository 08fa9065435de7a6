//! `cargo xtask live`: the machine that runs in a page of the book, built from pinned packages.
//!
//! ```text
//! packages.lock  ──▶  packages     fetched by apt's own helper, which compares the digest
//! solutions      ──▶  programs     the chapters' programs and the agent as one static program for i686
//! tools.txt      ──▶  initramfs    these, the tools that the sessions call, and their libraries
//! kernel.config  ──▶  kernel       a Linux for i686, as small as the sessions allow, with the initramfs in it
//! machine        ──▶  emulator     v86 from npm, and its firmware
//!                     state        the machine, booted to the prompt of a lab and saved
//!                     site         what a page loads, with its digests, licences and sources
//! ```
//!
//! All of it is in `target/live`.

mod cpio;
mod packages;
mod programs;
mod stubs;
mod initramfs;
mod kernel;
mod emulator;
mod state;
mod sources;
mod equipment;
mod site;
mod replay;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use lexopt::prelude::*;
use packages::Packages;
use xtask::shared::arguments::nearest;
use xtask::shared::chapter::checkout;
use xtask::shared::failure::Failure;

/// A part: what it is called, what builds it, and the file or folder that it is.
type Part = (&'static str, fn(&Path, &Packages) -> Result<PathBuf>, fn(&Packages) -> PathBuf);

/// Each is made of those above it.
const PARTS: [Part; 6] = [
    ("programs", programs::build, programs::file),
    ("initramfs", initramfs::build, initramfs::file),
    ("kernel", kernel::build, kernel::file),
    ("emulator", emulator::build, emulator::folder),
    ("state", state::build, state::file),
    ("site", site::build, site::folder),
];

/// What was asked for.
enum Wanted {
    Status,
    Build(Vec<Part>),
    Replay(Vec<String>),
    Sources,
}

fn main() -> ExitCode {
    let (wanted, out) = match read() {
        Ok(read) => read,
        Err(failure) => failure.end(),
    };
    match run(wanted, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// The command line.
fn read() -> Result<(Wanted, Option<OsString>), Failure> {
    let usage = |error: lexopt::Error| Failure::usage(error);
    let (mut words, mut out) = (Vec::new(), None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("out") => out = Some(parser.value().map_err(usage)?),
            Value(word) => words.push(word.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    let wanted = match words.split_first() {
        None => Wanted::Status,
        Some((command, parts)) if command == "build" => {
            let parts: Vec<Part> = parts.iter().map(|name| part(name)).collect::<Result<_, _>>()?;
            Wanted::Build(if parts.is_empty() { PARTS.to_vec() } else { parts })
        }
        Some((command, pages)) if command == "replay" => Wanted::Replay(pages.to_vec()),
        Some((command, [])) if command == "sources" => Wanted::Sources,
        Some(_) => return Err(Failure::usage("`live` takes `build`, `replay` or `sources`")),
    };
    Ok((wanted, out))
}

fn part(name: &str) -> Result<Part, Failure> {
    let found = PARTS.into_iter().find(|(part, ..)| *part == name);
    found.ok_or_else(|| {
        let names = PARTS.map(|(part, ..)| part);
        let failure = Failure::usage(format!("the machine has no part `{name}`"));
        failure.help(match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", names.join(", ")),
        })
    })
}

fn run(wanted: Wanted, out: Option<OsString>) -> Result<()> {
    let checkout = checkout().context("call it as `cargo xtask live`")?.canonicalize()?;
    let packages = Packages::new(&checkout.join("target/live"), out.map(PathBuf::from))?;
    let shown = |path: &Path| path.strip_prefix(&checkout).unwrap_or(path).display().to_string();
    match wanted {
        Wanted::Status => {
            for (name, _, file) in PARTS {
                println!("{name:10} {}", status(&file(&packages)));
            }
        }
        Wanted::Build(parts) => {
            for (name, build, _) in parts {
                println!("building the {name} …");
                let built = build(&checkout, &packages).with_context(|| format!("no {name}"))?;
                println!("built {}", shown(&built));
            }
        }
        Wanted::Replay(pages) => replay::run(&checkout, &packages, &pages)?,
        Wanted::Sources => println!("fetched {}", shown(&sources::fetch(&packages)?)),
    }
    Ok(())
}

/// How large a part is, and how old.
fn status(path: &Path) -> String {
    let Ok(found) = path.metadata() else { return "is not built".to_owned() };
    let age = found.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
    let size = if found.is_dir() { site::size(path) } else { found.len() };
    format!("{:7.2} MB, built {}", size as f64 / 1e6, ago(age))
}

fn ago(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_there_is_not_is_answered_with_the_nearest() {
        let said = |name| format!("{:?}", part(name).err().map(|failure| failure.code()));
        assert_eq!(said("kernal"), "Some(2)");
        assert_eq!(said("kernel"), "None");
        assert!(format!("{:?}", part("kernal").err()).contains("did you mean `kernel`?"));
        assert!(format!("{:?}", part("nope").err()).contains("it has programs, initramfs"));
    }

    #[test]
    fn ages_are_in_words() {
        let said = |minutes: u64| ago(Duration::from_secs(minutes * 60));
        assert_eq!(said(1), "1 minute ago");
        assert_eq!(said(125), "2 hours ago");
        assert_eq!(said(3000), "2 days ago");
    }
}
