//! Calling cargo.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::chapter::{Chapter, root};
use crate::failure::{Failure, Result};
use crate::screen::Screen;

/// Cargo, as it called us, in this checkout.
pub(crate) fn command() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// The folder where it puts programs: this one lies there.
pub(crate) fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe();
    let own = own.map_err(|error| Failure::new(format!("could not find this program: {error}")))?;
    let folder = own.parent().unwrap_or(Path::new("/"));
    // A unit test lies one deeper.
    let folder = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    Ok(folder.unwrap_or(Path::new("/")).to_owned())
}

/// Its target folder.
pub(crate) fn target() -> Result<PathBuf> {
    let programs = programs()?;
    Ok(programs.parent().unwrap_or(&programs).to_owned())
}

/// Builds the checks of the solutions in one go: they are the exercises' own, and run on any
/// program. They come back in the order of `chapters`.
pub(crate) fn build_checks(chapters: &[Chapter]) -> Result<Vec<PathBuf>> {
    let mut cargo = command();
    cargo.args(["test", "--quiet", "--no-run", "--test", "check"]);
    cargo.arg("--message-format=json-render-diagnostics");
    for chapter in chapters {
        cargo.args(["-p", &format!("{}-solution", chapter.name)]);
    }
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Failure::new(format!("could not start cargo: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new("a solution or its check does not compile"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let check_of = |chapter: &Chapter| {
        let manifest = chapter.solution().join("Cargo.toml");
        let mut lines = messages.lines().filter(|line| line.contains("\"kind\":[\"test\"]"));
        let line = lines.find(|line| {
            string_of(line, "manifest_path").is_some_and(|path| Path::new(&path) == manifest)
        });
        line.and_then(|line| string_of(line, "executable")).map(PathBuf::from).ok_or_else(|| {
            Failure::new(format!("cargo did not say where the check of {} is", chapter.name))
        })
    };
    chapters.iter().map(check_of).collect()
}

/// What came of a build.
pub(crate) enum Built {
    /// The executable.
    Yes(PathBuf),
    /// The compiler has said why.
    No,
}

/// Builds a package's program and its check, and says where the check is.
pub(crate) fn build_check(package: &str, screen: Screen) -> Result<Built> {
    let arguments = ["test", "-p", package, "--test", "check", "--no-run"];
    build(&arguments, "[\"test\"]", screen)
}

/// Builds a package's program and says where it is.
pub(crate) fn build_program(package: &str, screen: Screen) -> Result<Built> {
    build(&["build", "-p", package], "[\"bin\"]", screen)
}

/// Runs cargo and looks in its messages for the executable of a kind of target. The compiler's
/// diagnostics are passed on as they come.
fn build(arguments: &[&str], kind: &str, screen: Screen) -> Result<Built> {
    let mut cargo = command();
    cargo
        .args(arguments)
        .args(["--quiet", "--message-format=json-render-diagnostics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if screen.colour {
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    let mut child =
        cargo.spawn().map_err(|error| Failure::new(format!("could not start cargo: {error}")))?;
    let stderr = child.stderr.take().map(BufReader::new);
    // In a thread of its own: cargo may fill either pipe first.
    let complaints = std::thread::spawn(move || {
        let mut all = String::new();
        for line in
            stderr.into_iter().flat_map(|pipe| pipe.split(b'\n')).map_while(|line| line.ok())
        {
            let line = String::from_utf8_lossy(&line).into_owned();
            if all.is_empty() {
                screen.clear_line();
            }
            eprintln!("{line}");
            all += &line;
            all.push('\n');
        }
        all
    });
    let mut executable = None;
    let stdout = child.stdout.take().map(BufReader::new);
    for message in stdout.into_iter().flat_map(|pipe| pipe.lines()).map_while(|line| line.ok()) {
        if message.contains(&format!("\"kind\":{kind}")) {
            executable = string_of(&message, "executable").map(PathBuf::from).or(executable);
        }
    }
    let status =
        child.wait().map_err(|error| Failure::new(format!("could not wait for cargo: {error}")))?;
    let complaints = complaints.join().unwrap_or_default();
    match (status.success(), executable) {
        (true, Some(executable)) => Ok(Built::Yes(executable)),
        (true, None) => Err(Failure::new("cargo built nothing that could be run")),
        (false, _) => match machine_at_fault(&complaints) {
            Some((what, help)) => Err(Failure::machine(what).help(help)),
            None => Ok(Built::No),
        },
    }
}

/// Failures of a build that are not the program's.
fn machine_at_fault(complaints: &str) -> Option<(&'static str, &'static str)> {
    const NO_LINKER: (&str, &str) = (
        "there is no C compiler, which links every Rust program",
        "install one: `apt install gcc`, `dnf install gcc` or `pacman -S gcc`",
    );
    const NO_WRITING: (&str, &str) = (
        "cargo may not write here",
        "let it build elsewhere: `export CARGO_TARGET_DIR=/tmp/namespaces-target`",
    );
    const NO_SPACE: (&str, &str) =
        ("the disk is full", "`cargo clean` frees what earlier builds left");
    const NO_NETWORK: (&str, &str) =
        ("cargo cannot fetch the crates", "the first build needs the network once");
    // The first that fits: what is said of a linker may go on with "Permission denied".
    let known = [
        ("linker `cc` not found", NO_LINKER),
        ("could not exec the linker", NO_LINKER),
        ("Read-only file system", NO_WRITING),
        ("Permission denied", NO_WRITING),
        ("No space left on device", NO_SPACE),
        ("failed to download", NO_NETWORK),
        ("Could not resolve host", NO_NETWORK),
    ];
    // A diagnostic about the program itself may quote anything.
    if complaints.contains("error[E") {
        return None;
    }
    known.into_iter().find(|(sign, _)| complaints.contains(sign)).map(|(_, advice)| advice)
}

/// The value of a string field in a line of JSON.
fn string_of(json: &str, field: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{field}\":\""))?;
    let mut value = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(value),
            '\\' => match characters.next()? {
                'u' => {
                    let code: String = characters.by_ref().take(4).collect();
                    value.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                escaped => value.push(escaped),
            },
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_out_of_a_message() {
        let json = r#"{"target":{"kind":["test"]},"executable":"/a \"b\"\u0020c","fresh":true}"#;
        assert_eq!(string_of(json, "executable").as_deref(), Some("/a \"b\" c"));
        assert_eq!(string_of(r#"{"executable":null}"#, "executable"), None);
        assert_eq!(string_of(r#"{"executable":"/cut"#, "executable"), None);
    }

    #[test]
    fn the_machines_faults_are_told_from_the_programs() {
        assert!(machine_at_fault("error: linker `cc` not found\n").is_some());
        assert!(machine_at_fault("error[E0425]: cannot find `x`: linker `cc` not found").is_none());
        assert!(machine_at_fault("error: expected `;`").is_none());
    }
}
