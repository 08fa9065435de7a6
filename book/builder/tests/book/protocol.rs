//! The program itself: as mdBook's preprocessor, and its exit codes.

use crate::fixture::Repo;
use mdbook_driver::MDBook;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BOOK: &str = env!("CARGO_BIN_EXE_book");

fn run(repo: &Repo, arguments: &[&str]) -> Output {
    let mut book = Command::new(BOOK);
    book.args(arguments).current_dir(repo.path().join("book/src")).stdin(Stdio::null());
    book.output().unwrap()
}

/// Builds as plain mdBook does: this program is the preprocessor, over pipes.
fn build_by_protocol(repo: &Repo) -> Result<(), String> {
    let command = format!("command = \"{BOOK} preprocess\"");
    repo.edit("book/book.toml", "command = \"cargo run -q -p book -- preprocess\"", &command);
    let mdbook = MDBook::load(repo.path().join("book")).unwrap();
    mdbook.build().map_err(|error| format!("{error:#}"))
}

fn pages(built: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(built).unwrap().map(|entry| entry.unwrap().path());
    let html = files.filter(|path| path.extension().is_some_and(|extension| extension == "html"));
    html.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    })
    .collect()
}

#[test]
fn both_ways_give_the_same_pages() {
    let (in_process, by_protocol) = (Repo::clean(), Repo::clean());
    let here = pages(&in_process.build());
    build_by_protocol(&by_protocol).unwrap();
    let there = pages(&by_protocol.path().join("book/book"));
    assert!(here.len() > 5, "{:?}", here.keys());
    for (name, page) in &here {
        assert!(there.get(name) == Some(page), "{name} differs");
    }
}

#[test]
fn a_fault_fails_plain_mdbook_too() {
    let repo = Repo::clean();
    repo.edit("book/src/ch02-unshare.md", "main.rs:call}}", "main.rs:gone}}");
    let error = build_by_protocol(&repo).unwrap_err();
    assert!(error.starts_with("The \"hand\" preprocessor exited unsuccessfully"), "{error}");
}

#[test]
fn every_renderer_is_supported() {
    for renderer in ["html", "markdown"] {
        assert!(run(&Repo::clean(), &["preprocess", "supports", renderer]).status.success());
    }
}

#[test]
fn broken_input_is_an_error() {
    let output = run(&Repo::clean(), &["preprocess"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: Unable to parse the input"), "{stderr}");
}

#[test]
fn build_exits_with_0_or_1() {
    let repo = Repo::clean();
    let output = run(&repo, &["build"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("built book/book in "));

    repo.edit("book/src/start.md", "#the-call", "#gone");
    let output = run(&repo, &["build"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "book/src/start.md:9: dead fragment: `ch02-unshare.md` has no `#gone`\n1 fault in the book\n"
    );
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for arguments in [&["biuld"][..], &["serve", "--port", "x"], &["serve", "-p"], &[]] {
        assert_eq!(run(&Repo::clean(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn outside_of_a_checkout_there_is_help() {
    let output = Command::new(BOOK).arg("build").current_dir("/").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("\nhelp: run this inside a checkout"), "{stderr}");
}
