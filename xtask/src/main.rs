//! The commands of this course: `cargo xtask COMMAND`.

mod bench;
mod book;
mod r#break;
mod cargo;
mod chapter;
mod check;
mod diff;
mod doctor;
mod failure;
mod format;
mod hint;
mod json;
mod keep;
mod list;
mod progress;
mod reset;
mod rules;
mod run;
mod screen;
mod shell;
mod steps;
mod terminal;
mod trace;
mod variants;
mod verify;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use failure::Failure;

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
        ["check", rest @ ..] => check::run(rest),
        ["watch", rest @ ..] => watch::run(rest),
        ["hint", rest @ ..] => hint::run(rest),
        ["run", rest @ ..] => run::run(rest),
        ["trace", rest @ ..] => trace::run(rest),
        ["shell", rest @ ..] => shell::run(rest),
        ["list", rest @ ..] => list::run(rest),
        ["diff", rest @ ..] => diff::run(rest),
        ["reset", rest @ ..] => reset::run(rest),
        ["break", rest @ ..] => r#break::run(rest),
        ["doctor", rest @ ..] => doctor::run(rest),
        ["book", rest @ ..] => book::run(rest),
        ["verify", rest @ ..] => verify::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
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
