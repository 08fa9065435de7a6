//! `cargo xtask break CHAPTER [N]`: a finished program with one classic mistake in it, to find.
//!
//! It takes the place of the exercise, so that `check`, `run`, `watch` and an editor work as usual. The
//! learner's own file is kept beside it. The check of such a program first wants to know from the reader
//! which step will fail, and why.

use std::process::ExitCode;

use crate::reader::check::{self, Guess, Manner};
use crate::reader::list::is_untouched;
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::{Chapter, read, shown};
use crate::shared::failure::{Failure, Result};
use crate::shared::progress::{Entry, Progress};
use crate::shared::{broken, keep, pack, question, screen};

pub(crate) const USAGE: Usage = Usage {
    name: "break",
    forms: &[("CHAPTER [NUMBER]", "a finished program with one mistake in it, to find")],
    options: &[
        ("--yes", "in the place of a program that is not solved yet, without asking"),
        ("--guess STEP WHY…", "say which step will fail and why, and check"),
    ],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut chapter, mut asked, mut yes, mut guess) = (None, None, false, None);
    let mut why = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("yes") => yes = true,
            Argument::Long("guess") => guess = Some(arguments.value("the number of a step")?),
            Argument::Value(name) if chapter.is_none() => chapter = Some(Chapter::find(name)?),
            Argument::Value(word) if guess.is_some() => {
                why.push(word.to_string_lossy().into_owned());
            }
            Argument::Value(number) if asked.is_none() => asked = Some(number),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let chapter = chapter.ok_or_else(|| USAGE.needs("a chapter"))?;
    if let Some(step) = guess {
        let guess = Guess::new(&step.to_string_lossy(), &why.join(" "))?;
        return check::run_with(&chapter, &Manner { guess: Some(guess), ..Manner::default() });
    }
    if pack::edition().is_some() {
        return Err(pack::lacks("no finished programs, in which a mistake could be planted"));
    }
    let programs = broken::programs(&chapter)?;
    if programs.is_empty() {
        return Err(Failure::new(format!("{} has no table of mistakes", chapter.name)));
    }
    let number = match asked {
        Some(number) => row(&number.to_string_lossy(), programs.len())?,
        None => harness::random() as usize % programs.len(),
    };

    let program = chapter.program();
    let text = read(&program).unwrap_or_default();
    let made_here = programs.contains(&text);
    let is_at_work = !made_here && !text.is_empty() && !is_untouched(&chapter);
    let mut progress = Progress::load();
    if !yes && is_at_work && !progress.is_solved(&chapter) && !agreed(&chapter)? {
        return Ok(ExitCode::SUCCESS);
    }
    let entry = progress.of(&chapter);
    // While the reader's own program is away, what is replaced is a broken one, perhaps repaired.
    let is_away = check::own_is_away(&chapter, entry.own);
    // A program that this command made is not worth keeping.
    let kept = match made_here {
        true => keep::write(&program, &programs[number]).map(|()| None)?,
        false => keep::replace(&program, &programs[number])?,
    };
    let own = if is_away { entry.own } else { kept.unwrap_or(0) };
    progress.keep(Entry { own, ..entry });

    let short = chapter.short();
    let mut said = format!(
        "{} is a finished program with one mistake in it\n\
         read it: which step will fail, and why? `cargo xtask check {short}` asks you first\n",
        shown(&program)
    );
    said += &match own {
        0 => format!("the exercise back: cargo xtask reset {short}\n"),
        own => check::own_file_back(&chapter, own),
    };
    screen::print(&said);
    Ok(ExitCode::SUCCESS)
}

/// Asks before a program that is not solved yet is replaced.
fn agreed(chapter: &Chapter) -> Result<bool> {
    let why = format!("{} is not solved yet", chapter.name);
    let question = "put another program in the place of yours, which is kept beside it?";
    question::consent(&why, question, "replace it; your file is kept beside it")
}

/// Rows count from 1.
fn row(asked: &str, rows: usize) -> Result<usize> {
    match asked.parse::<usize>() {
        Ok(number) if (1..=rows).contains(&number) => Ok(number - 1),
        _ => Err(Failure::usage(format!("there is no mistake `{asked}`"))
            .help(format!("a number from 1 to {rows}, or none for one at random"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_of_the_table() {
        assert_eq!(row("1", 4).unwrap(), 0);
        assert_eq!(row("4", 4).unwrap(), 3);
        for wrong in ["0", "5", "x", "-1"] {
            assert!(row(wrong, 4).is_err(), "{wrong}");
        }
    }
}
