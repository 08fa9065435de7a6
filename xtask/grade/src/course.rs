//! What a course grades with: its checks, the crates that a program may use, and the toolchain. They are
//! built once and copied to a folder of their own below cargo's target folder, so that a change of the
//! checkout does not reach a run of `grade` that has begun. The folder is named after a digest of what
//! it was made from: as long as that is the same, cargo is not asked.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use launch::Build;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xtask::shared::cargo::{self, build_aloud, build_checks, not_started, target_folder};
use xtask::shared::chapter::{Chapter, read, root};
use xtask::shared::failure::{Failure, Result};
use xtask::shared::steps::{self, Step};
use xtask::shared::with::With;

use crate::digest::Digest;
use crate::result;

/// The file with the commit, in a course that is no git checkout.
pub const REVISION: &str = "REVISION";

/// What submissions are graded with.
#[derive(Debug)]
pub struct Course {
    pub revision: result::Course,
    pub compiler: Compiler,
    /// Those that were asked for, in order.
    pub chapters: Vec<Graded>,
}

/// A chapter, its check and the steps of it.
#[derive(Debug)]
pub struct Graded {
    pub chapter: Chapter,
    pub check: PathBuf,
    pub steps: Vec<Step>,
}

/// What compiles a submission.
#[derive(Debug)]
pub struct Compiler {
    /// `rustc 1.88.0 (…)`
    pub version: String,
    /// The folder of the toolchain.
    pub toolchain: PathBuf,
    /// The folder of the crates that a program may use.
    pub crates: PathBuf,
    pub edition: String,
    /// The crates of each chapter: the name in a program, and the file.
    externs: BTreeMap<String, Vec<(String, String)>>,
}

impl Compiler {
    /// The crates that the program of a chapter may name: the name, and the file in [`Compiler::crates`].
    pub fn externs(&self, chapter: &str) -> impl Iterator<Item = (&str, &str)> {
        let externs = self.externs.get(chapter).map_or(&[][..], Vec::as_slice);
        externs.iter().map(|(name, file)| (name.as_str(), file.as_str()))
    }
}

const NO_PANIC: &str = "asking a program does not panic";

/// What is kept beside the crates and the checks.
#[derive(Deserialize, Serialize)]
struct Kept {
    edition: String,
    externs: BTreeMap<String, Vec<(String, String)>>,
}

impl Course {
    /// Builds what these chapters need, unless an earlier run has. `scheme` is the text of the scheme of
    /// points, and `with` is what is laid over the course.
    ///
    /// # Errors
    ///
    /// The checkout does not build, or the copies cannot be written.
    pub fn prepare(chapters: &[Chapter], scheme: &str, with: Option<&With>) -> Result<Course> {
        // Most of what a run takes that has nothing to do is the start of these programs.
        let (digest, version, toolchain, commit) = thread::scope(|scope| {
            let version = scope.spawn(|| ask_rustc(&["--version"]));
            let toolchain = scope.spawn(|| ask_rustc(&["--print", "sysroot"]));
            let commit = scope.spawn(commit);
            let digest = digest_of_course();
            let [version, toolchain] = [version, toolchain].map(|it| it.join().expect(NO_PANIC));
            (digest, version, toolchain, commit.join().expect(NO_PANIC))
        });
        let (digest, version, toolchain) = (digest?, version?, PathBuf::from(toolchain?));
        let toolchain = toolchain.canonicalize().unwrap_or(toolchain);
        let mut identity = Digest::default();
        [digest.as_str(), version.as_str()].iter().for_each(|part| identity.add(part));
        identity.add(toolchain.as_os_str().as_bytes());
        let of_with = with.map(digest_of_private).transpose()?.unwrap_or_default();
        identity.add(&of_with);
        let identity = identity.text().replace("sha256:", "");
        let folder = target_folder()?.join("grade").join(identity);

        let check_of = |chapter: &Chapter| folder.join("checks").join(&chapter.name);
        let missing = |chapter: &&Chapter| !check_of(chapter).exists();
        let to_build: Vec<Chapter> = chapters.iter().filter(missing).cloned().collect();
        let kept = folder.join("course.json");
        if !to_build.is_empty() || !kept.exists() {
            let built = build(&folder, &to_build, &kept, with);
            built.map_err(|error| error.into_failure(&folder))?;
            if digest_of_course()? != digest {
                return Err(Failure::new("the course was changed while it was built")
                    .help("start again when nobody edits this checkout"));
            }
        }
        let Kept { edition, externs } = serde_json::from_str(&read(&kept)?)
            .map_err(|error| Failure::new(format!("`{}`: {error}", kept.display())))?;
        let chapters = chapters.iter().map(|chapter| {
            let check = check_of(chapter);
            let steps = steps::steps(chapter, &check, with)?;
            Ok(Graded { chapter: chapter.clone(), check, steps })
        });
        let mut digest_of_scheme = Digest::default();
        digest_of_scheme.add(scheme);
        Ok(Course {
            revision: result::Course {
                revision: commit,
                digest,
                scheme: digest_of_scheme.text(),
                with: of_with,
                variants: String::new(),
            },
            compiler: Compiler {
                version,
                toolchain,
                crates: folder.join("crates"),
                edition,
                externs,
            },
            chapters: chapters.collect::<Result<_>>()?,
        })
    }
}

/// Why the course could not be built: as cargo says it, or in a call for a file.
enum NotBuilt {
    Failed(Failure),
    NotCopied(io::Error),
}

impl From<Failure> for NotBuilt {
    fn from(failure: Failure) -> NotBuilt {
        NotBuilt::Failed(failure)
    }
}

impl From<io::Error> for NotBuilt {
    fn from(error: io::Error) -> NotBuilt {
        NotBuilt::NotCopied(error)
    }
}

impl NotBuilt {
    fn into_failure(self, folder: &Path) -> Failure {
        match self {
            NotBuilt::Failed(failure) => failure,
            NotBuilt::NotCopied(error) => Failure::file(
                format!("could not copy the course to `{}`", folder.display()),
                &error,
            ),
        }
    }
}

/// Builds crates and checks, and copies them. What an earlier run has copied may be in use, so nothing of
/// it is written over.
fn build(
    folder: &Path,
    chapters: &[Chapter],
    kept: &Path,
    with: Option<&With>,
) -> std::result::Result<(), NotBuilt> {
    let all = Chapter::all()?;
    let mut cargo = cargo::command();
    cargo.args(["build", "--lib", "--bins", "--message-format=json-render-diagnostics"]);
    // Together with the harness, the crates get the features that a check needs.
    cargo.args(["-p", "harness"]);
    for chapter in &all {
        cargo.args(["-p", &format!("{}-solution", chapter.name)]);
    }
    cargo.stdout(Stdio::piped());
    let build = Build { what: "the course", first_time: "two minutes", draws: true };
    let mut built = Vec::new();
    let (status, _) = build_aloud(cargo, build, |line| {
        built.extend(serde_json::from_str::<Value>(&line).ok());
    })?;
    if !status.success() {
        return Err(Failure::new("the course does not build; cargo says why above").into());
    }

    let crates = folder.join("crates");
    make_folder(&crates)?;
    let libraries = libraries(&built);
    for library in libraries.values() {
        copy(library, &crates.join(file_name(library)), 0o644)?;
    }
    let edition = built.iter().find_map(|message| {
        let is_program = message["target"]["kind"][0] == "bin";
        message["target"]["edition"].as_str().filter(|_| is_program)
    });
    let edition = edition.ok_or_else(|| Failure::new("cargo did not say which edition it is"))?;
    let mut externs = BTreeMap::new();
    for chapter in &all {
        externs.insert(chapter.name.clone(), externs_of(chapter, &libraries)?);
    }
    let text = serde_json::to_string_pretty(&Kept { edition: edition.to_owned(), externs });
    write(kept, &text.expect("text is JSON"))?;

    if !chapters.is_empty() {
        let checks = folder.join("checks");
        make_folder(&checks)?;
        for (chapter, check) in chapters.iter().zip(build_checks(chapters)?) {
            let check = match with {
                Some(with) => with.check(chapter, &format!("{}-solution", chapter.name), check)?,
                None => check,
            };
            copy(&check, &checks.join(&chapter.name), 0o755)?;
        }
    }
    Ok(())
}

/// The libraries that cargo has built of other people's crates, by their names in a program.
fn libraries(built: &[Value]) -> BTreeMap<String, PathBuf> {
    let libraries = built.iter().filter_map(|message| {
        let is_of_a_registry = message["package_id"].as_str()?.starts_with("registry+");
        cargo::library(message).filter(|_| is_of_a_registry)
    });
    libraries.collect()
}

/// What the manifest of a chapter lets its program use.
fn externs_of(
    chapter: &Chapter,
    libraries: &BTreeMap<String, PathBuf>,
) -> Result<Vec<(String, String)>> {
    let manifest = chapter.exercise().join("Cargo.toml");
    let table: toml::Table = read(&manifest)?
        .parse()
        .map_err(|error| Failure::new(format!("`{}`: {error}", manifest.display())))?;
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies.into_iter().flat_map(toml::Table::keys);
    let file = |name: &String| {
        let name = name.replace('-', "_");
        let library = libraries.get(&name).ok_or_else(|| {
            Failure::new(format!("cargo did not say where the crate `{name}` is"))
        })?;
        Ok((name, file_name(library)))
    };
    names.map(file).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Programs in a sandbox have another id than this user, and a umask must not matter.
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

/// Copies a file, whole or not at all, also if the power goes: with half a crate no program would compile.
fn copy(from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let temporary = to.with_extension(format!("new.{}", std::process::id()));
    fs::copy(from, &temporary)?;
    fs::set_permissions(&temporary, Permissions::from_mode(mode))?;
    File::open(&temporary)?.sync_all()?;
    fs::rename(&temporary, to)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let temporary = file.with_extension(format!("new.{}", std::process::id()));
    fs::write(&temporary, text)?;
    File::open(&temporary)?.sync_all()?;
    fs::rename(&temporary, file)
}

/// What `rustc` answers in this checkout: it may ask for a toolchain of its own.
pub(crate) fn ask_rustc(arguments: &[&str]) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(rustc).args(arguments).current_dir(root()).output();
    let answer = answer.map_err(not_started)?;
    let said = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    match answer.status.success() && !said.is_empty() {
        true => Ok(said),
        false => Err(Failure::machine("rustc does not say where its toolchain is")
            .help("`rustc --print sysroot` has to print a folder")),
    }
}

/// The commit of the checkout, with `+` if files differ from it. Empty without git.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let answer = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
        answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    };
    // A package has no repository with it.
    let packed = || fs::read_to_string(root().join(REVISION)).unwrap_or_default().trim().to_owned();
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return packed() };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => commit + "+",
    }
}

/// A digest of what is laid over the course.
fn digest_of_private(with: &With) -> Result<String> {
    let mut digest = Digest::default();
    for file in with.files() {
        let text = fs::read(file).map_err(|error| {
            Failure::file(format!("could not read `{}`", file.display()), &error)
        })?;
        let name = file.strip_prefix(with.folder()).unwrap_or(file);
        digest.add(name.as_os_str().as_bytes());
        digest.add(text);
    }
    Ok(digest.text())
}

/// A digest of what the checks are built from, without the programs that a reader edits.
fn digest_of_course() -> Result<String> {
    let mut files = Vec::new();
    for name in ["Cargo.toml", "Cargo.lock"] {
        files.push(root().join(name));
    }
    // Copies of an earlier program lie beside it, too.
    let edited: Vec<PathBuf> =
        Chapter::all()?.iter().map(|chapter| chapter.exercise().join("src")).collect();
    let mut folders = vec![root().join("exercises")];
    let not_read = |folder: &Path, error| {
        Failure::file(format!("could not read `{}`", folder.display()), &error)
    };
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| not_read(&folder, error))? {
            let path = entry.map_err(|error| not_read(&folder, error))?.path();
            match path.is_dir() {
                true if edited.contains(&path) => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let mut digest = Digest::default();
    for file in files {
        let mut bytes = Vec::new();
        let read =
            File::open(&file).and_then(|mut open| io::Read::read_to_end(&mut open, &mut bytes));
        read.map_err(|error| not_read(&file, error))?;
        digest.add(file.strip_prefix(root()).unwrap_or(&file).as_os_str().as_bytes());
        digest.add(bytes);
    }
    Ok(digest.text())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_may_use_what_a_registry_has() {
        let message = |id: &str, name: &str, files: &[&str]| json!({ "package_id": id, "target": { "name": name }, "filenames": files });
        let found = libraries(&[
            message(
                "registry+https://x#cfg-if@1.0.0",
                "cfg-if",
                &["/t/libcfg_if-1.rlib", "/t/x.rmeta"],
            ),
            message("registry+https://x#step@1.0.0", "derive", &["/t/libderive-1.so"]),
            message("path+file:///c#harness@0.0.0", "harness", &["/t/libharness-1.rlib"]),
            json!({ "reason": "build-finished", "success": true }),
        ]);
        assert_eq!(found, BTreeMap::from([("cfg_if".into(), "/t/libcfg_if-1.rlib".into())]));
    }
}
