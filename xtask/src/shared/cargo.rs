//! Calling cargo.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::SystemTime;

use harness::env;
use launch::{Build, Tool};
use serde_json::Value;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::chapter::{Chapter, root};
use crate::shared::failure::{Failure, Result};
use crate::shared::progress::fnv1a;
use crate::shared::screen::Screen;

/// The cargo that runs this command, in this checkout.
pub fn command() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    match target() {
        Ok(Target { folder, shared: true, .. }) => _ = cargo.env("CARGO_TARGET_DIR", folder),
        _ => {
            // A relative path is relative to the reader's folder, not to the checkout.
            if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR")
                && let Ok(folder) = std::path::absolute(folder)
            {
                cargo.env("CARGO_TARGET_DIR", folder);
            }
        }
    }
    cargo.current_dir(root());
    cargo
}

/// Where cargo puts what this checkout builds.
struct Target {
    folder: PathBuf,
    /// The programs in it: `debug`, or `TRIPLE/debug` if cargo is told for which machine it builds.
    programs: PathBuf,
    /// Other checkouts may have the same target folder, and `folder` is one in it.
    shared: bool,
}

/// Cargo takes the packages of two checkouts for the same if they share a target folder: it calls a
/// program up to date that it has built for the other one, or replaces it while its check runs. So a
/// target folder outside of the checkout gets a folder for each.
fn target() -> Result<Target> {
    let failure = |error| Failure::new(format!("could not find this program: {error}"));
    let own = std::env::current_exe().map_err(failure)?;
    // A unit test is in a folder below the programs.
    let programs = own.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let programs = programs.unwrap_or(Path::new("/"));
    // Cargo keeps what it knows of the compiler at the top.
    let mut above = programs.ancestors().skip(1).take(2);
    let top = above.find(|folder| folder.join(".rustc_info.json").exists());
    let top = top.or(programs.parent()).unwrap_or(programs);
    let programs = programs.strip_prefix(top).unwrap_or(programs).to_owned();
    let checkout = root().canonicalize().unwrap_or_else(|_| root());
    if top.starts_with(&checkout) {
        return Ok(Target { folder: top.to_owned(), programs, shared: false });
    }
    let name = format!("checkout-{:016x}", fnv1a(checkout.as_os_str().as_bytes()));
    // A program that such a command has built and started lies in that folder.
    let folder = if top.ends_with(&name) { top.to_owned() } else { top.join(name) };
    Ok(Target { folder, programs, shared: true })
}

/// Cargo's target folder for this checkout.
pub fn target_folder() -> Result<PathBuf> {
    target().map(|target| target.folder)
}

/// The folder in which cargo puts programs.
pub fn programs() -> Result<PathBuf> {
    target().map(|target| target.folder.join(target.programs))
}

/// Builds the checks of the solutions in one go. They are those of the exercises, and run any program.
/// Returns them in the order of `chapters`.
pub fn build_checks(chapters: &[Chapter]) -> Result<Vec<PathBuf>> {
    let mut cargo = command();
    cargo.args(["test", "--quiet", "--no-run", "--test", "check"]);
    cargo.arg("--message-format=json-render-diagnostics");
    for chapter in chapters {
        cargo.args(["-p", &format!("{}-solution", chapter.name)]);
    }
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.map_err(not_started)?;
    if !output.status.success() {
        return Err(Failure::new("a solution or its check does not compile"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let checks: Vec<Artifact> =
        messages.lines().filter_map(Artifact::read).filter(|built| built.kind == TEST).collect();
    let check_of = |chapter: &Chapter| {
        let manifest = chapter.solution().join("Cargo.toml");
        let check = checks.iter().find(|check| check.manifest == manifest);
        check.map(|check| check.executable.clone()).ok_or_else(|| {
            Failure::new(format!("cargo did not say where the check of {} is", chapter.name))
        })
    };
    chapters.iter().map(check_of).collect()
}

/// Kinds of target.
const PROGRAM: &str = "bin";
const TEST: &str = "test";
const EXAMPLE: &str = "example";

/// A program that cargo has built, from one of its messages.
pub struct Artifact {
    pub name: String,
    kind: String,
    manifest: PathBuf,
    pub executable: PathBuf,
}

impl Artifact {
    /// Reads a line of `--message-format=json`. `None` if it is about something else.
    pub fn read(line: &str) -> Option<Artifact> {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(Artifact {
            name: message["target"]["name"].as_str().unwrap_or_default().to_owned(),
            kind: message["target"]["kind"][0].as_str()?.to_owned(),
            manifest: message["manifest_path"].as_str().unwrap_or_default().into(),
            executable: message["executable"].as_str()?.into(),
        })
    }
}

/// The library that a message of cargo's is about: the name by which programs use it, and the file. `None` if the
/// message is about something else.
pub fn library(message: &Value) -> Option<(String, PathBuf)> {
    let name = message["target"]["name"].as_str()?.replace('-', "_");
    let mut files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    let file = files.find(|file| Path::new(file).extension() == Some("rlib".as_ref()))?;
    Some((name, file.into()))
}

/// What came of a build.
pub enum Built {
    /// The executable.
    Yes(PathBuf),
    /// The compiler has printed the reason.
    No,
}

/// Builds a package's program and its check, and returns the path of the check.
pub fn build_check(package: &str, screen: Screen) -> Result<Built> {
    build(&["test", "--test", "check", "--no-run", "-p", package], package, TEST, screen)
}

/// Builds a package's program and returns its path.
pub fn build_program(package: &str, screen: Screen) -> Result<Built> {
    // Together with the harness, the dependencies get the features that a check needs, and so are not
    // built a second time.
    build(&["build", "-p", "harness", "-p", package], package, PROGRAM, screen)
}

/// Builds a worked example of a package and returns its path. The package's program need not compile.
pub fn build_example(package: &str, name: &str, screen: Screen) -> Result<Built> {
    build(&["build", "-p", package, "--example", name], name, EXAMPLE, screen)
}

/// Builds the worked examples of all these packages.
pub fn build_examples(packages: &[String], screen: Screen) -> Result<()> {
    let mut arguments = vec!["build", "--keep-going", "--examples"];
    arguments.extend(packages.iter().flat_map(|package| ["-p", package]));
    build(&arguments, "the examples", EXAMPLE, screen).map(drop)
}

/// Builds the programs of all these packages, also if one of them does not compile.
pub fn build_programs(packages: &[String], screen: Screen) -> Result<()> {
    let mut arguments = vec!["build", "--keep-going", "-p", "harness"];
    arguments.extend(packages.iter().flat_map(|package| ["-p", package]));
    build(&arguments, "the programs", PROGRAM, screen).map(drop)
}

/// Runs cargo and finds the executable of a kind of target in its messages. Passes on the compiler's
/// diagnostics as they come.
fn build(arguments: &[&str], what: &str, kind: &str, screen: Screen) -> Result<Built> {
    let mut cargo = command();
    cargo.args(arguments).arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let build = Build { what, first_time: "half a minute", draws: screen.terminal };
    let mut executable = None;
    let (status, complaints) = build_aloud(cargo, build, |message| {
        if let Some(built) = Artifact::read(&message).filter(|built| built.kind == kind) {
            executable = Some(built.executable);
        }
    })?;
    match (status.success(), executable) {
        (true, Some(executable)) => Ok(Built::Yes(executable)),
        (true, None) => Err(Failure::new("cargo built nothing that could be run")),
        (false, _) => match fault_of_the_machine(&complaints) {
            Some(failure) => Err(failure),
            None => Ok(Built::No),
        },
    }
}

/// Builds a package of this repository's own tools, such as the book's builder, as [`build_aloud`] does.
pub fn build_tool(package: &str, build: Build) -> Result<()> {
    let mut cargo = command();
    cargo.args(["build", "--package", package]);
    match build_aloud(cargo, build, drop)?.0.success() {
        true => Ok(()),
        false => {
            let what = build.what;
            Err(Failure::machine(format!("{what} could not be built; cargo says why above")))
        }
    }
}

/// Builds such a tool where that is needed, and becomes it. Its program has the name of its package, whose folder in
/// `xtask` is called so as well. Returns only if it cannot.
pub fn become_tool(package: &str, build: Build, words: Vec<OsString>) -> Result {
    let (root, programs) = (root(), programs()?);
    let tool = Tool::new(&programs, &root, package, &format!("xtask/{package}"));
    if !tool.is_up_to_date() {
        let start = SystemTime::now();
        build_tool(package, build)?;
        // Without the note cargo is asked again the next time.
        _ = tool.note_built(start);
    }
    let error = Command::new(&tool.program).args(words).env(env::ROOT, &root).exec();
    Err(Failure::machine(format!("could not start `{}`: {error}", tool.program.display())))
}

/// The same for a tool that is several commands: its first word says which.
pub fn become_command(
    package: &str,
    build: Build,
    command: &Usage,
    arguments: Arguments,
) -> Result {
    let words = std::iter::once(OsString::from(command.name)).chain(arguments.words());
    become_tool(package, build, words.collect())
}

/// Runs a build and shows on standard error how far it is. Passes on the compiler's diagnostics, which
/// it also returns, and hands each line of cargo's standard output to `each`.
pub fn build_aloud(
    mut cargo: Command,
    build: Build,
    each: impl FnMut(String),
) -> Result<(ExitStatus, String)> {
    launch::prepare(&mut cargo);
    let mut child = cargo.stdin(Stdio::null()).spawn().map_err(not_started)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Both pipes are read at the same time, because cargo may fill either first.
    let complaints = thread::scope(|scope| {
        let follow = || stderr.map(|stderr| launch::follow(stderr, build));
        let complaints = thread::Builder::new().spawn_scoped(scope, follow)?;
        lines_of(stdout).for_each(each);
        Ok(complaints.join().ok().flatten().unwrap_or_default())
    });
    let complaints = complaints.map_err(|error| {
        _ = child.kill();
        _ = child.wait();
        Failure::thread(&error)
    })?;
    let status = child.wait();
    let status =
        status.map_err(|error| Failure::new(format!("could not wait for cargo: {error}")))?;
    Ok((status, complaints))
}

pub fn not_started(error: std::io::Error) -> Failure {
    Failure::machine(format!("could not start cargo: {error}"))
        .help("it comes with Rust: https://rustup.rs")
}

fn lines_of(pipe: Option<impl Read>) -> impl Iterator<Item = String> {
    let lines = pipe.map(BufReader::new).into_iter().flat_map(|pipe| pipe.split(b'\n'));
    lines.map_while(|line| Some(String::from_utf8_lossy(&line.ok()?).into_owned()))
}

/// Why a build failed, if the program is not the reason.
fn fault_of_the_machine(complaints: &str) -> Option<Failure> {
    const ELSEWHERE: &str =
        "let it build elsewhere: `export CARGO_TARGET_DIR=/tmp/namespaces-target`";
    const NETWORK: &str = "the first build needs the network once";
    const NO_CC: &str = "there is no C compiler, which links every Rust program";
    const INSTALL: &str = "install one: `apt install gcc`, `dnf install gcc` or `pacman -S gcc`";
    // The first sign that occurs counts: a complaint about a linker may go on with "Permission denied".
    const MEMORY: &str = "close something, or build with `CARGO_BUILD_JOBS=1`";
    const LIMITS: &str = "`ulimit -a` shows the limits of this shell";
    const KNOWN: [(&str, &str, &str); 18] = [
        ("linker `cc` not found", NO_CC, INSTALL),
        ("could not exec the linker", NO_CC, INSTALL),
        ("Read-only file system", "cargo cannot write here", ELSEWHERE),
        ("Permission denied", "cargo may not write here", ELSEWHERE),
        (
            "No space left on device",
            "the disk is full",
            "`cargo clean` frees what earlier builds left",
        ),
        (
            "Disk quota exceeded",
            "your quota is used up",
            "`cargo clean` frees what earlier builds left",
        ),
        ("Resource temporarily unavailable", "a limit on processes is used up", LIMITS),
        ("Too many open files", "the limit on open files is too low", LIMITS),
        ("Cannot allocate memory", "there is not enough memory", MEMORY),
        ("memory allocation of", "there is not enough memory", MEMORY),
        ("(signal: 9,", "the compiler was killed, perhaps for want of memory", MEMORY),
        ("(signal: 24,", "the limit on processor time is too low", LIMITS),
        ("(signal: 25,", "the limit on the size of files is too low", LIMITS),
        ("failed to download", "cargo cannot fetch the crates", NETWORK),
        ("failed to get `", "cargo cannot fetch the crates", NETWORK),
        ("no matching package named", "cargo cannot fetch the crates", NETWORK),
        ("Could not resolve host", "cargo cannot fetch the crates", NETWORK),
        (
            "requires rustc",
            "this Rust is too old for the course",
            "`rustup update stable` installs the newest",
        ),
    ];
    // A diagnostic that points into a source file may quote anything from it.
    let points_into_source =
        |line: &str| line.trim_start().starts_with("--> ") && line.contains(".rs:");
    if complaints.lines().any(points_into_source) {
        return None;
    }
    let known = KNOWN.into_iter().find(|(sign, ..)| complaints.contains(sign));
    match known {
        Some((_, what, help)) => Some(Failure::machine(what).help(help)),
        None if complaints.contains("could not compile") => None,
        None => Some(Failure::machine("cargo could not build it, and says why above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_out_of_a_message() {
        let json = r#"{"target":{"kind":["test"]},"executable":"/a \"b\"\u0020c","fresh":true}"#;
        let built = Artifact::read(json).unwrap();
        assert_eq!((built.kind.as_str(), built.executable), (TEST, "/a \"b\" c".into()));
        for other in [r#"{"target":{"kind":["lib"]},"executable":null}"#, r#"{"executable":"/cut"#]
        {
            assert!(Artifact::read(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_machines_faults_are_told_from_the_programs() {
        let fault = |text: &str| fault_of_the_machine(text).map(|failure| failure.to_string());
        let cc = "error: linker `cc` not found\nerror: could not compile `ch02-unshare`\n";
        assert!(fault(cc).unwrap().contains("no C compiler"));
        assert_eq!(fault("error: expected `;`\nerror: could not compile `ch02-unshare`\n"), None);
        let quoting = "error: expected `;`\n --> src/main.rs:3:5\n3 | \"Permission denied\"\n";
        assert_eq!(fault(quoting), None);
        let limit = "error: could not compile `libc` (lib)\n\nCaused by:\n  could not execute process `rustc`\n\n\
                     Caused by:\n  Resource temporarily unavailable (os error 11)\n";
        assert_eq!(fault(limit).unwrap(), "a limit on processes is used up");
        let killed = "error: could not compile `ch02-unshare` (bin)\n\nCaused by:\n  \
                      process didn't exit successfully: `rustc` (signal: 25, SIGXFSZ: file size limit exceeded)\n";
        assert_eq!(fault(killed).unwrap(), "the limit on the size of files is too low");
        let manifest = "error: key with no value\n --> exercises/ch02-unshare/Cargo.toml:21:8\n";
        assert_eq!(fault(manifest).unwrap(), "cargo could not build it, and says why above");
    }
}
