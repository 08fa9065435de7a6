//! `cargo xtask catch-up CHAPTER`: the reader goes on with a chapter without having solved those before it.

use std::process::ExitCode;

use crate::reader::check;
use crate::reader::diff::without_anchors;
use crate::reader::list::is_untouched;
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::broken;
use crate::shared::chapter::{Chapter, read};
use crate::shared::failure::Result;
use crate::shared::progress::{self, Entry, Progress, State};
use crate::shared::{keep, question, screen};

pub(crate) const USAGE: Usage = Usage {
    name: "catch-up",
    forms: &[(
        "CHAPTER",
        "go on with this chapter: those before it that are not solved get the solution, and your files \
         are kept beside it",
    )],
    options: &[("--yes", "without asking")],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut chapter, mut yes) = (None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("yes") => yes = true,
            Argument::Value(name) if chapter.is_none() => chapter = Some(Chapter::find(name)?),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let chapter = chapter.ok_or_else(|| USAGE.needs("a chapter"))?;
    let known = Progress::load();
    let is_open = |earlier: &Chapter| !known.is_solved(earlier) && !known.is_caught_up(earlier);
    let open: Vec<Chapter> = Chapter::all()?
        .into_iter()
        .filter(|earlier| *earlier < chapter && is_open(earlier))
        .collect();
    let next = format!("next: `cargo xtask check {}`\n", chapter.short());
    if open.is_empty() {
        screen::print(&format!("nothing is left to do before {}\n{next}", chapter.name));
        return Ok(ExitCode::SUCCESS);
    }
    if !yes && !agreed(&open)? {
        return Ok(ExitCode::SUCCESS);
    }
    // One by one, and each noted at once: what is interrupted goes on where it was.
    for earlier in &open {
        screen::print(&caught_up(earlier)?);
    }
    screen::print(&format!("\n{next}"));
    Ok(ExitCode::SUCCESS)
}

/// Asks before solutions are put in the place of exercises.
fn agreed(open: &[Chapter]) -> Result<bool> {
    let names: Vec<String> = open.iter().map(Chapter::short).collect();
    let why = match names.as_slice() {
        [one] => format!("{one} is not solved"),
        [first @ .., last] => format!("{} and {last} are not solved", first.join(", ")),
        [] => return Ok(true),
    };
    if !open.iter().any(Chapter::has_solution) {
        let why = format!("{why}, and there are no solutions in this copy of the course");
        let question = "go on all the same? Your files stay as they are.";
        return question::consent(&why, question, "go on; your files stay as they are");
    }
    let question = "put the solution there? Your file is kept beside it.";
    question::consent(&why, question, "put the solution there; your files are kept beside it")
}

/// Puts the solution in the place of the program, and says what became of the reader's own.
fn caught_up(chapter: &Chapter) -> Result<String> {
    let mut known = Progress::load();
    let entry = known.of(chapter);
    let own = replaced(chapter, entry.own)?;
    let mut said = format!("{}: caught up, and not solved\n", chapter.name);
    match own {
        Program::None => said += "  there are no solutions here, so your program stays as it is\n",
        Program::Untouched => said += "  the solution is in the place of the exercise\n",
        Program::Kept(number) => said += &format!("  {}", check::own_file_back(chapter, number)),
    }
    let own = if let Program::Kept(number) = own { number } else { entry.own };
    let (hash, exercise) = (progress::hash(chapter), progress::exercise_hash(chapter));
    known.keep(Entry { hash, exercise, own, state: State::CaughtUp, ..entry });
    Ok(said)
}

/// What was in the place of the solution.
enum Program {
    /// The same as now, because this checkout has no solutions.
    None,
    /// Nothing of the reader's.
    Untouched,
    /// The reader's own, which is this backup now.
    Kept(u32),
}

/// `own` is the backup that holds the reader's program if `break` has put another one in its place.
fn replaced(chapter: &Chapter, own: u32) -> Result<Program> {
    if !chapter.has_solution() {
        return Ok(Program::None);
    }
    let solution = without_anchors(&read(&chapter.solution().join("src/main.rs"))?);
    let program = chapter.program();
    let text = read(&program).unwrap_or_default();
    let is_away = check::own_is_away(chapter, own);
    // Neither the exercise, nor the solution, nor what `break` has made is worth keeping.
    let is_a_copy = text == solution || is_untouched(chapter) || broken::is_made(chapter, &text);
    let kept = match is_a_copy {
        true => keep::write(&program, &solution).map(|()| None)?,
        false => keep::replace(&program, &solution)?,
    };
    Ok(match (is_away, kept) {
        (true, _) => Program::Kept(own),
        (false, Some(number)) => Program::Kept(number),
        (false, None) => Program::Untouched,
    })
}
