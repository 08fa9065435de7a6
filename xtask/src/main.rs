//! The commands of this course: `cargo xtask COMMAND`.

/// The commands of a reader, a file for each.
mod reader {
    pub(crate) mod book;
    pub(crate) mod r#break;
    pub(crate) mod catch_up;
    pub(crate) mod check;
    pub(crate) mod diff;
    pub(crate) mod done;
    pub(crate) mod doctor;
    pub(crate) mod hint;
    pub(crate) mod join;
    pub(crate) mod leave;
    pub(crate) mod list;
    pub(crate) mod play;
    pub(crate) mod reset;
    pub(crate) mod stuck;
    pub(crate) mod update;
    pub(crate) mod watch;
}

/// The commands of an author, likewise.
mod author {
    pub(crate) mod course;
    pub(crate) mod grade;
    pub(crate) mod kernels;
    pub(crate) mod live;
    pub(crate) mod pack;
    pub(crate) mod room;
    pub(crate) mod variant;
}

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use xtask::shared;

use shared::arguments::{self, Arguments};
use shared::command::Command;
use shared::failure::{self, Failure};
use shared::pack;
use shared::screen::{self, Screen};

const FOR_READERS: [Command; 19] = [
    (&reader::check::USAGE, reader::check::run),
    (&reader::watch::USAGE, reader::watch::run),
    (&reader::hint::USAGE, reader::hint::run),
    (&shared::play::RUN, reader::play::run),
    (&shared::play::TRACE, reader::play::trace),
    (&shared::play::SHELL, reader::play::shell),
    (&shared::play::CHALLENGE, reader::play::challenge),
    (&reader::list::USAGE, reader::list::run),
    (&reader::diff::USAGE, reader::diff::run),
    (&reader::reset::USAGE, reader::reset::run),
    (&reader::catch_up::USAGE, reader::catch_up::run),
    (&reader::update::USAGE, reader::update::run),
    (&reader::r#break::USAGE, reader::r#break::run),
    (&reader::doctor::USAGE, reader::doctor::run),
    (&reader::book::USAGE, reader::book::run),
    (&reader::join::USAGE, reader::join::run),
    (&reader::stuck::USAGE, reader::stuck::run),
    (&reader::done::USAGE, reader::done::run),
    (&reader::leave::USAGE, reader::leave::run),
];

const FOR_AUTHORS: [Command; 8] = [
    (&shared::authoring::VERIFY, author::course::verify),
    (&author::grade::USAGE, author::grade::run),
    (&author::variant::USAGE, author::variant::run),
    (&author::pack::USAGE, author::pack::run),
    (&author::room::USAGE, author::room::run),
    (&author::kernels::USAGE, author::kernels::run),
    (&author::live::USAGE, author::live::run),
    (&shared::authoring::BENCH, author::course::bench),
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    command(words).unwrap_or_else(|failure| {
        failure.print();
        ExitCode::from(failure.code())
    })
}

fn command(words: Vec<OsString>) -> failure::Result {
    let mut words = words.into_iter().peekable();
    // `help check` is `check --help`.
    let mut help = false;
    while words.next_if(|word| word == "help" || asks_for_help(word)).is_some() {
        help = true;
    }
    let Some(name) = words.next() else {
        screen::print(&usage(Screen::stdout()));
        return Ok(ExitCode::SUCCESS);
    };
    let (usage, run) = find(&name.to_string_lossy())?;
    let words: Vec<OsString> = words.collect();
    // What follows `--` is for the reader's program.
    let mut own = words.iter().take_while(|word| *word != "--");
    if help || own.any(|word| asks_for_help(word)) {
        screen::print(&usage.page(Screen::stdout()));
        return Ok(ExitCode::SUCCESS);
    }
    let is_authors = FOR_AUTHORS.iter().any(|(authors, _)| authors.name == usage.name);
    if is_authors && pack::edition().is_some() {
        let lacks = pack::lacks(&format!("nothing for `{}`", usage.name));
        return Err(match usage.name {
            "room" => lacks.help(
                "the teacher opens the room, in a clone of the course's repository; \
                 `cargo xtask join URL NAME` shows you in it",
            ),
            _ => lacks,
        });
    }
    run(Arguments::new(words))
}

fn asks_for_help(word: &OsStr) -> bool {
    word == "--help" || word == "-h"
}

fn find(name: &str) -> failure::Result<Command> {
    let commands = || FOR_READERS.into_iter().chain(FOR_AUTHORS);
    if let Some(command) = commands().find(|(usage, _)| usage.name == name) {
        return Ok(command);
    }
    let names = commands().map(|(usage, _)| usage.name).chain(["help"]);
    Err(Failure::usage(format!("there is no command `{name}`")).help(
        match arguments::nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`cargo xtask help` lists the commands".to_owned(),
        },
    ))
}

fn usage(screen: Screen) -> String {
    let texts = |commands: &[Command]| -> String {
        commands.iter().map(|(usage, _)| usage.text(screen)).collect()
    };
    let for_authors = match pack::edition() {
        Some(_) => String::new(),
        None => format!("\nfor authors\n{}", texts(&FOR_AUTHORS)),
    };
    format!(
        "usage: cargo xtask COMMAND\n\nfor readers\n{}{for_authors}{}",
        texts(&FOR_READERS),
        arguments::chapter_names(screen)
    )
}
