//! What a teacher lays over a checkout: private mistakes and private steps, in a folder outside of it.
//!
//! ```text
//! DIR/ch02-unshare/mistakes.toml   rows that are looked up before the chapter's own
//! DIR/ch02-unshare/steps.rs        more steps, as a module of the chapter's check
//! ```
//!
//! A private step sees what `tests/check.rs` defines (`use super::*;`). The check is compiled once more with it, by
//! the compiler itself with the libraries that cargo has built for the chapter, so that nothing is written to the
//! checkout.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::mistakes;
use serde_json::Value;

use crate::shared::arguments::nearest;
use crate::shared::cargo::{command, library, not_started, target_folder};
use crate::shared::chapter::{Chapter, root};
use crate::shared::failure::{Failure, Result};
use crate::shared::progress::fnv1a;

/// A folder with private rows and steps.
#[derive(Clone, Debug)]
pub struct With {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

const ROWS: &str = "mistakes.toml";
const STEPS: &str = "steps.rs";

impl With {
    /// Reads what is in a folder. Steps are compiled when a chapter is checked.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be read, a chapter or a file is unknown, or a row does not parse.
    pub fn read(folder: &Path) -> Result<With> {
        let not_read = |path: &Path, error: &io::Error| {
            Failure::usage(format!("could not read `{}`: {error}", path.display()))
                .help("`--with` takes a folder that has a folder `chNN-slug` for each chapter")
        };
        let folder = folder.canonicalize().map_err(|error| not_read(folder, &error))?;
        let chapters = Chapter::all()?;
        let mut files = Vec::new();
        for of_chapter in entries(&folder).map_err(|error| not_read(&folder, &error))? {
            let name = name_of(&of_chapter);
            let names = || chapters.iter().map(|chapter| chapter.name.as_str());
            if !names().any(|known| known == name) {
                let failure = Failure::usage(format!("`{}` is no chapter", of_chapter.display()));
                return Err(failure.help(match nearest(&name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "folders are called as those of the exercises: `ch02-unshare`".into(),
                }));
            }
            for file in entries(&of_chapter).map_err(|error| not_read(&of_chapter, &error))? {
                let text = fs::read_to_string(&file).map_err(|error| not_read(&file, &error))?;
                match name_of(&file).as_str() {
                    ROWS => _ = mistakes::private(&text).map_err(|error| {
                        Failure::usage(format!("`{}`: {error}", file.display()))
                            .help("`name`, `when`, `cause` and `remedy` make a row; CONTRIBUTING.md says more")
                    })?,
                    STEPS => {}
                    _ => {
                        return Err(Failure::usage(format!("`{}` is not looked at", file.display()))
                            .help(format!("a chapter may have `{ROWS}` and `{STEPS}`")));
                    }
                }
                files.push(file);
            }
        }
        match files.is_empty() {
            true => Err(Failure::usage(format!("`{}` has nothing in it", folder.display()))
                .help(format!("a chapter may have `{ROWS}` and `{STEPS}`"))),
            false => Ok(With { folder, files }),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the private steps of a chapter are.
    pub(crate) fn steps_in(folder: &Path, chapter: &Chapter) -> PathBuf {
        folder.join(&chapter.name).join(STEPS)
    }

    /// Everything that is in it, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The check of a chapter with the private steps, if it has some; otherwise `check`, which cargo has built for
    /// `package`, the chapter's exercise or solution.
    ///
    /// # Errors
    ///
    /// The steps do not compile, which the compiler has explained.
    pub fn check(&self, chapter: &Chapter, package: &str, check: PathBuf) -> Result<PathBuf> {
        let steps = With::steps_in(&self.folder, chapter);
        if !self.files.contains(&steps) {
            return Ok(check);
        }
        let own = chapter.exercise().join("tests/check.rs");
        let read = |file: &Path| {
            fs::read_to_string(file).map_err(|error| {
                Failure::file(format!("could not read `{}`", file.display()), &error)
            })
        };
        let text = format!("{}\n#[path = {steps:?}]\nmod private;\n", read(&own)?);
        let built = libraries(package)?;
        // One for each text and each build of the libraries, so that none is replaced while it runs.
        let identity = format!("{text}{}{built:?}{:?}", read(&steps)?, modified(&check));
        let folder = target_folder()?.join("with");
        let program = folder.join(format!("{}-{:016x}", chapter.name, fnv1a(identity.as_bytes())));
        if program.exists() {
            return Ok(program);
        }
        let not_written = |error: io::Error| {
            Failure::file(format!("could not write to `{}`", folder.display()), &error)
        };
        fs::create_dir_all(&folder).map_err(not_written)?;
        let number = std::process::id();
        let source = folder.join(format!("{}-{number}.rs", chapter.name));
        let new = folder.join(format!("{}-{number}", chapter.name));
        fs::write(&source, text).map_err(not_written)?;
        let compiled = built.compile(chapter, package, &source, &new);
        _ = fs::remove_file(&source);
        compiled?;
        fs::rename(&new, &program).map_err(not_written)?;
        Ok(program)
    }
}

/// What cargo has built for a package's check.
#[derive(Debug)]
struct Libraries {
    edition: String,
    /// By their names in a program.
    files: BTreeMap<String, PathBuf>,
    program: PathBuf,
}

impl Libraries {
    fn compile(&self, chapter: &Chapter, package: &str, source: &Path, new: &Path) -> Result<()> {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--test", "--crate-name=check", "-Cdebuginfo=line-tables-only"]);
        rustc.arg(format!("--edition={}", self.edition)).arg(source).arg("-o").arg(new);
        for (name, file) in &self.files {
            if let Some(folder) = file.parent() {
                rustc.arg("-L").arg(folder);
            }
            rustc.arg("--extern").arg(format!("{name}={}", file.display()));
        }
        // As cargo sets them for a test.
        rustc.env("CARGO_PKG_NAME", package).env("CARGO_MANIFEST_DIR", chapter.exercise());
        rustc.env(format!("CARGO_BIN_EXE_{package}"), &self.program);
        // Its standard output may be JSON that another program reads.
        let status =
            rustc.current_dir(root()).stdout(Stdio::null()).status().map_err(not_started)?;
        match status.success() {
            true => Ok(()),
            false => {
                let what = format!("the private steps of {} do not compile", chapter.name);
                Err(Failure::usage(format!("{what}; the compiler says why above"))
                    .help("they are a module of the chapter's check: begin with `use super::*;`"))
            }
        }
    }
}

/// Asks cargo, which has built all of it before.
fn libraries(package: &str) -> Result<Libraries> {
    let mut cargo = command();
    cargo.args(["test", "--quiet", "--no-run", "--test", "check", "-p", package]);
    cargo.arg("--message-format=json-render-diagnostics");
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(not_started)?;
    if !output.status.success() {
        return Err(Failure::new(format!("{package} does not build; cargo says why above")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let (mut edition, mut program, mut files) = (None, None, BTreeMap::new());
    for message in messages {
        let target = &message["target"];
        let name = target["name"].as_str().unwrap_or_default();
        match target["kind"][0].as_str() {
            // Only what a check may name: the harness, and what the chapters' manifests list.
            Some("lib") if ["harness", "anyhow", "libc", "nix"].contains(&name) => {
                files.extend(library(&message));
            }
            Some("bin") if name == package => {
                program = message["executable"].as_str().map(PathBuf::from);
            }
            Some("test") => edition = target["edition"].as_str().map(str::to_owned),
            _ => {}
        }
    }
    match (edition, program) {
        (Some(edition), Some(program)) if files.contains_key("harness") => {
            Ok(Libraries { edition, files, program })
        }
        _ => Err(Failure::new(format!("cargo did not say what it has built for {package}"))),
    }
}

fn modified(file: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}

/// What is in a folder, in order. A name that begins with a dot is an editor's or a file manager's.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<_>> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut entries = entries?;
    entries.retain(|path| !name_of(path).starts_with('.'));
    entries.sort();
    Ok(entries)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
