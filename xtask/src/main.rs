//! The commands of this course: `cargo xtask COMMAND`.

/// What every command may use. It knows none of them.
mod shared {
    pub(crate) mod cargo;
    pub(crate) mod chapter;
    pub(crate) mod failure;
    pub(crate) mod json;
    pub(crate) mod keep;
    pub(crate) mod progress;
    pub(crate) mod screen;
    pub(crate) mod steps;
    pub(crate) mod variants;
}

/// The commands of a reader, a file for each.
mod reader {
    pub(crate) mod book;
    pub(crate) mod r#break;
    pub(crate) mod check;
    pub(crate) mod diff;
    pub(crate) mod doctor;
    pub(crate) mod hint;
    pub(crate) mod list;
    pub(crate) mod reset;
    pub(crate) mod run;
    pub(crate) mod shell;
    pub(crate) mod trace;
    pub(crate) mod watch;
}

/// The commands of an author, likewise.
mod author {
    pub(crate) mod bench;
    pub(crate) mod verify;
}

use std::ffi::OsString;
use std::process::ExitCode;

use shared::failure::{self, Failure};
use shared::screen;

const USAGE: &str = "\
usage: cargo xtask COMMAND

for readers
  check [CHAPTER…]        run a chapter's check; without a chapter, the first one not yet solved
        --all             every chapter
        --json            one JSON object a line instead of text
        --junit FILE      the result as JUnit XML, too
  watch [CHAPTER]         check again whenever you save
  hint CHAPTER            one more hint each time; --again from the first, --all of them
  run CHAPTER [-- ARGS…]  your program, in the sandbox
        --as plain-user   without root's rights
  trace CHAPTER [-- ARGS…]
                          your program's namespace calls, one by one
  trace -- PROGRAM [ARGS…]
                          those of any program
        --as plain-user   without root's rights
        --json            as JSON Lines
        --html FILE       as a page to step through
        --from FILE       show what --json wrote
  shell                   a root shell in a sandbox, to play in
        --as plain-user   without root's rights
        --solutions       with the chapters' programs finished, as in the book
  list                    the chapters and how far you are
  diff CHAPTER [--yes]    your program beside the solution
  reset CHAPTER           the exercise as it was; your file is kept beside it
  break CHAPTER [NUMBER]  a solution with one mistake in it, to find
  doctor [--json]         what this machine allows, and what to change
  book [--open]           build and serve the book

for authors
  verify                  solutions pass, exercises fail, mistakes are named
        --any-progress    whatever the exercises' src/main.rs hold
        --quick           cheats at the first step of a chapter only, mistakes with words
  bench [--runs N]        what a sandbox run costs, beside other tools
        --no-suite        without the whole test suite
  bench box [--runs N]    what a box of chapter 17 costs, beside container runtimes

A CHAPTER is ch3, 3, its name (clone) or its folder (ch03-clone).
";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    command(&words).unwrap_or_else(|failure| {
        failure.say();
        ExitCode::from(failure.code())
    })
}

fn command(words: &[OsString]) -> failure::Result {
    let words = words.iter().map(|word| {
        let not_text = || Failure::usage(format!("`{}` is not UTF-8", word.display()));
        word.to_str().ok_or_else(not_text)
    });
    let words = words.collect::<failure::Result<Vec<&str>>>()?;
    match words.as_slice() {
        words if asks_for_help(words) => {
            screen::print(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        ["check", rest @ ..] => reader::check::run(rest),
        ["watch", rest @ ..] => reader::watch::run(rest),
        ["hint", rest @ ..] => reader::hint::run(rest),
        ["run", rest @ ..] => reader::run::run(rest),
        ["trace", rest @ ..] => reader::trace::run(rest),
        ["shell", rest @ ..] => reader::shell::run(rest),
        ["list", rest @ ..] => reader::list::run(rest),
        ["diff", rest @ ..] => reader::diff::run(rest),
        ["reset", rest @ ..] => reader::reset::run(rest),
        ["break", rest @ ..] => reader::r#break::run(rest),
        ["doctor", rest @ ..] => reader::doctor::run(rest),
        ["book", rest @ ..] => reader::book::run(rest),
        ["verify", rest @ ..] => author::verify::run(rest),
        ["bench", rest @ ..] => author::bench::run(rest),
        words => Err(Failure::usage(format!("there is no command `{}`", words.join(" ")))
            .help("`cargo xtask help` lists the commands")),
    }
}

/// What stands behind `--` is for the reader's program.
fn asks_for_help(words: &[&str]) -> bool {
    let mut ours = words.iter().take_while(|word| **word != "--");
    words.first().is_none_or(|first| *first == "help")
        || ours.any(|word| matches!(*word, "--help" | "-h"))
}
