//! `cargo xtask list`: the chapters, and how far the reader is.

use std::process::ExitCode;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::chapter::{Chapter, read};
use crate::shared::failure::Result;
use crate::shared::progress::{self, Progress, State};
use crate::shared::screen::{self, Screen};

pub(crate) const USAGE: Usage =
    Usage { name: "list", forms: &[("", "the chapters and how far you are")], options: &[] };

pub(crate) fn run(mut arguments: Arguments) -> Result {
    if let Some(argument) = arguments.next()? {
        return Err(USAGE.unexpected(argument));
    }
    let (screen, progress) = (Screen::stdout(), Progress::load());
    let mut out = String::new();
    for chapter in Chapter::all()? {
        let state = state(&chapter, &progress);
        let is_solved = progress.is_solved(&chapter);
        let painted = if is_solved { screen.good(&state) } else { state };
        out += &format!("{:<5} {:<16} {painted}\n", chapter.short(), chapter.name);
    }
    screen::print(&out);
    Ok(ExitCode::SUCCESS)
}

fn state(chapter: &Chapter, progress: &Progress) -> String {
    let entry = progress.of(chapter);
    let same = entry.hash == progress::hash(chapter);
    match entry.state {
        _ if entry.state.is_solved() && entry.exercise != progress::exercise_hash(chapter) => {
            "was solved; the exercise has changed".to_owned()
        }
        State::Solved if same => "solved".to_owned(),
        State::SolvedFurther if same => "solved, and further".to_owned(),
        State::CaughtUp if same && chapter.has_solution() => {
            "caught up, with the solution".to_owned()
        }
        State::CaughtUp if same => "caught up, without a solution".to_owned(),
        State::Solved | State::SolvedFurther => "solved, and changed since".to_owned(),
        _ if is_untouched(chapter) => "not started".to_owned(),
        State::Failed(0) if same => "does not compile".to_owned(),
        State::Failed(step) if same => format!("failed at step {step}"),
        State::Failed(_) | State::Unchecked | State::CaughtUp => "started".to_owned(),
    }
}

/// Whether the program is still the one that was handed out.
pub(crate) fn is_untouched(chapter: &Chapter) -> bool {
    match (read(&chapter.program()), read(&chapter.stub())) {
        (Ok(program), Ok(stub)) => program == stub,
        _ => false,
    }
}
