//! What a reader thinks is wrong with a program that `break` has made, before the check says it.

use crate::shared::broken;
use crate::shared::chapter::{Chapter, read};
use crate::shared::failure::{Failure, Result};
use crate::shared::progress::{self, Entry, Progress};
use crate::shared::question::{answer, has_reader};
use crate::shared::screen;
use crate::shared::steps::Step;

/// Which step will fail, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) step: u32,
    pub(crate) why: String,
}

impl Guess {
    pub(crate) fn new(step: &str, why: &str) -> Result<Guess> {
        let number = step.trim().trim_start_matches("step").trim().parse();
        let step =
            number.map_err(|_| Failure::usage(format!("`{step}` is no number of a step")))?;
        match why.trim() {
            "" => Err(Failure::usage("a guess has a reason, too")
                .help("`cargo xtask break CHAPTER --guess STEP WHY…`, in a few words of your own")),
            why => Ok(Guess { step, why: why.to_owned() }),
        }
    }
}

/// The guess that the check of this program has to wait for; `None` for a program of the reader's own, and
/// if there was a guess before. `asks`: a question may be asked.
pub(super) fn awaited(chapter: &Chapter, steps: &[Step], asks: bool) -> Result<Option<Guess>> {
    let program = read(&chapter.program()).unwrap_or_default();
    let known = Progress::load().of(chapter).guessed;
    if known == progress::hash(chapter) || !broken::is_made(chapter, &program) {
        return Ok(None);
    }
    if !asks || !has_reader() {
        let short = chapter.short();
        return Err(Failure::usage(format!(
            "{} is a program of `break`: say first which step will fail, and why",
            chapter.name
        ))
        .help(format!(
            "`cargo xtask break {short} --guess STEP WHY…`, in a few words of your own"
        )));
    }
    screen::print("one thing is wrong in this program; say what, before the check does\n");
    for step in steps {
        screen::print(&format!("  step {}: {}\n", step.number, step.title));
    }
    let step = answer("which step will be the first to fail? ");
    let why = answer("why? ");
    Guess::new(&step, &why).map(Some)
}

/// Notes that the reader has made a guess about the program as it is.
pub(super) fn note(chapter: &Chapter) {
    let mut progress = Progress::load();
    let entry = progress.of(chapter);
    progress.keep(Entry { guessed: progress::hash(chapter), ..entry });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_a_step_and_a_reason() {
        let guess = Guess::new("step 2", " the name is set too early ").unwrap();
        assert_eq!((guess.step, guess.why.as_str()), (2, "the name is set too early"));
        assert!(Guess::new("two", "x").is_err() && Guess::new("2", " ").is_err());
    }
}
