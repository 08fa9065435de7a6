//! Everything that runs on another kernel is built on this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{CACHE, ROOT};

/// A program of tests.
pub(crate) struct Test {
    /// The name of its package.
    pub(crate) package: String,
    /// `check`, for `tests/check.rs`; the package's own name for the tests in its source.
    pub(crate) name: String,
    /// The package's folder, in which it runs.
    pub(crate) folder: PathBuf,
    pub(crate) program: PathBuf,
}

impl Test {
    /// Whether it is one of these tests of this package.
    pub(crate) fn is(&self, package: &str, names: &[&str]) -> bool {
        self.package == package && names.contains(&self.name.as_str())
    }
}

/// What was built.
pub(crate) struct Built {
    pub(crate) tests: Vec<Test>,
    /// The tool `xtask`.
    pub(crate) xtask: PathBuf,
    /// The program of `cargo xtask verify`. In a machine there is no cargo that could say whether it is up to date.
    pub(crate) author: PathBuf,
    /// The program that compares a machine with what it was before.
    pub(crate) fingerprint: PathBuf,
}

/// Builds the tests, the programs and the worked examples.
pub(crate) fn build(checkout: &Path) -> Result<Built> {
    let artifacts = |arguments: &[&str]| -> Result<Vec<Value>> {
        let mut cargo = cargo(checkout);
        cargo.args(arguments).arg("--message-format=json-render-diagnostics");
        let output = cargo.stderr(Stdio::inherit()).output().context("could not start cargo")?;
        ensure!(output.status.success(), "the tests do not compile");
        let messages = String::from_utf8_lossy(&output.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(messages.filter(|message| message["executable"].is_string()).collect())
    };
    let packages =
        ["-p", "book", "-p", "trace", "-p", "lab", "-p", "harness", "-p", "ch*-solution"];
    let mut tests = artifacts(&[&["test", "--quiet", "--no-run"], &packages[..]].concat())?;
    tests.retain(|test| test["profile"]["test"] == true);
    // The pages' sessions call the finished programs and the worked examples, which lie beside the exercises.
    let others = artifacts(&[
        "build",
        "--quiet",
        "-p",
        "xtask",
        "-p",
        "author",
        "-p",
        "harness",
        "-p",
        "ch*",
        "--bins",
        "--examples",
    ])?;
    let program = |name: &str| {
        let made = others.iter().find(|other| other["target"]["name"] == name);
        let made = made.and_then(|other| other["executable"].as_str());
        made.map(PathBuf::from).with_context(|| format!("cargo did not build `{name}`"))
    };
    let tests = tests.iter().map(|test| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let folder = PathBuf::from(text(&test["manifest_path"])).parent().map(Path::to_owned);
        let folder = folder.unwrap_or_default();
        let package = folder.file_name().unwrap_or_default().to_string_lossy();
        Test {
            package: match folder.parent().is_some_and(|parent| parent.ends_with("solutions")) {
                true => format!("{package}-solution"),
                false => package.into_owned(),
            },
            name: text(&test["target"]["name"]),
            program: text(&test["executable"]).into(),
            folder,
        }
    });
    Ok(Built {
        tests: tests.collect(),
        xtask: program("xtask")?,
        author: program("author")?,
        fingerprint: program("fingerprint")?,
    })
}

/// Builds the programs that `author` tries with these words, and keeps what cargo says about them in files that
/// begin with `said`, where `guest/cargo` says it again.
pub(crate) fn programs(checkout: &Path, built: &Built, words: &str, said: &Path) -> Result<()> {
    let mut author = Command::new(&built.author);
    author.args(words.split(' ')).arg("--build").current_dir(checkout);
    author.env(ROOT, checkout).env("SAID", said);
    author
        .env("REAL_CARGO", cargo(checkout).get_program())
        .env("CARGO", checkout.join(CACHE).join("record-cargo"));
    let output = author.output().context("could not start author")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "the programs do not compile:\n{printed}");
    Ok(())
}

/// What cargo says about chapter 17's program, which the comparison of boxes builds. `guest/cargo` says it again.
pub(crate) fn chapter_17(checkout: &Path) -> Result<Vec<u8>> {
    let mut cargo = cargo(checkout);
    cargo.args(["build", "--quiet", "-p", "harness", "-p", "ch17-box-solution"]);
    cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = cargo.output().context("could not start cargo")?;
    ensure!(output.status.success(), "chapter 17's program does not compile");
    Ok(output.stdout)
}

/// The cargo that has started this command.
pub(crate) fn cargo(checkout: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(checkout);
    cargo
}
