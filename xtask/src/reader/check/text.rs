//! The words of a check for a reader.

use std::fs;

use harness::verdict::{Diagnosis, Outcome};

use super::compare::compare;
use super::{Checked, Guess, code_word};
use crate::reader::list::is_untouched;
use crate::shared::chapter::{Chapter, shown};
use crate::shared::keep;
use crate::shared::pack;
use crate::shared::screen::{self, Screen};
use crate::shared::steps::{Step, StepRun};
use crate::shared::todo::todos as todos_of;

pub(crate) fn title(chapter: &Chapter, screen: Screen) -> String {
    format!("{}\n", screen.strong(&chapter.name))
}

/// What the compiler has not explained by itself: where the file is that it did not find.
pub(crate) fn does_not_compile(chapter: &Chapter) -> String {
    if chapter.program().exists() {
        return String::new();
    }
    let reset = format!("`cargo xtask reset {}`", chapter.short());
    format!("{} has no src/main.rs; {reset} brings it back\n", chapter.name)
}

/// What the reader has said before the check says it.
pub(crate) fn guess(guess: &Guess, screen: Screen) -> String {
    screen.hanging(&format!("you say: step {} fails, because ", guess.step), &guess.why) + "\n"
}

pub(crate) fn step_line(step: &Step, outcome: Outcome, screen: Screen) -> String {
    let word = match outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "FAIL",
        Outcome::Cannot => "cannot",
        Outcome::Broken => "broken",
    };
    let painted = match outcome {
        Outcome::Passed => screen.good(word),
        _ => screen.bad(word),
    };
    let line = screen.hanging(&format!("  {word:6}  {}: ", place(step)), &step.title);
    line.replacen(word, &painted, 1)
}

/// A step that runs.
pub(crate) fn passing_step(step: &Step) -> String {
    format!("  …       {}: {}", place(step), step.title)
}

/// `step 2`, or `further step 4`.
fn place(step: &Step) -> String {
    let further = if step.further { "further " } else { "" };
    format!("{further}step {}", step.number)
}

/// What a step that was run could not look at.
pub(crate) fn skipped(run: &StepRun, screen: Screen) -> String {
    match run.verdict.skipped.is_empty() {
        true => String::new(),
        false => screen.hanging("          skipped: ", &run.verdict.skipped()),
    }
}

/// What came of what the reader has said. `failed` is the first step that did.
pub(crate) fn came_of_guess(guess: &Guess, failed: Option<u32>) -> String {
    match failed {
        Some(step) if step == guess.step => {
            format!("\nyou said step {step}, and it is; is the reason the one that you gave?\n")
        }
        Some(step) => format!("\nyou said step {}, and it is step {step}\n", guess.step),
        None => format!("\nyou said step {}, and none has failed\n", guess.step),
    }
}

/// A program of `break` has passed all steps.
pub(crate) fn unseen(chapter: &Chapter) -> String {
    format!(
        "\nits mistake is still in it, and only what was skipped would show it\n\
         another one: `cargo xtask break {}`\n",
        chapter.short()
    )
}

/// How a reader gets the program back that `break` has kept as this backup. Not by mv, which keeps the
/// file's time: Cargo builds again only if the file is newer.
pub(crate) fn own_file_back(chapter: &Chapter, own: u32) -> String {
    let program = chapter.program();
    format!("your own file back: cp {} {}\n", shown(&keep::backup(&program, own)), shown(&program))
}

/// The solution passes that `catch-up` has put there.
pub(crate) fn caught_up(chapter: &Chapter, next: Option<&Chapter>) -> String {
    format!(
        "\nit passes, and it is the solution that `catch-up` has put there; `cargo xtask reset {}`\n\
         brings the exercise back\n{}\n",
        chapter.short(),
        goes_on(next)
    )
}

fn goes_on(next: Option<&Chapter>) -> String {
    match next {
        Some(next) => format!("next: `cargo xtask check {}`", next.short()),
        None => "that was the last chapter".to_owned(),
    }
}

/// What a reader may do next. `open` is how many steps go further that were not run.
pub(crate) fn solved(chapter: &Chapter, open: usize, next: Option<&Chapter>) -> String {
    let next = goes_on(next);
    let short = chapter.short();
    let further = match open {
        0 => String::new(),
        1 => format!("further: one more step, `cargo xtask check {short} --further`\n"),
        more => format!("further: {more} more steps, `cargo xtask check {short} --further`\n"),
    };
    let beside = match pack::edition() {
        Some(_) => String::new(),
        None => format!("; `cargo xtask diff {short}` shows it beside the solution"),
    };
    format!("\nsolved{beside}\n{further}{next}\n")
}

/// What is said of a variant, or of a check with private steps.
pub(crate) fn every_step_passed() -> &'static str {
    "\nevery step has passed; what `cargo xtask list` says of the chapter stays as it was\n"
}

pub(crate) fn solved_further() -> &'static str {
    "\nsolved, and further\n"
}

/// A line for each of several chapters.
pub(crate) fn summary(all: &[Checked]) -> String {
    let lines = all.iter().map(|one| format!("{:6}  {}\n", code_word(one), one.chapter.name));
    format!("\n{}", lines.collect::<String>())
}

/// Why a step did not pass, and where to go from there.
pub(crate) fn explanation(chapter: &Chapter, step: &Step, run: &StepRun, screen: Screen) -> String {
    match run.outcome() {
        Outcome::Cannot => cannot(run, screen),
        Outcome::Broken => broken(chapter, run),
        Outcome::Passed | Outcome::Failed => failed(chapter, step, run, screen),
    }
}

fn failed(chapter: &Chapter, step: &Step, run: &StepRun, screen: Screen) -> String {
    let verdict = &run.verdict;
    let mut out = format!("\n{}{}", screen.strong("asked"), "\n");
    out += &screen.wrapped(&verdict.asked, "  ");
    out += &format!(
        "\n{}\n{}",
        screen.strong("what the kernel saw"),
        compare(&verdict.saw, &verdict.wanted, screen)
    );
    out += &printed(&verdict.stdout, &verdict.stderr);
    if let Some(Diagnosis { mistake, cause, remedy, .. }) = &verdict.diagnosis {
        out += &format!("\n{}", labelled("this looks like:", mistake, screen));
        out += &screen.wrapped(cause, "  ");
        out += &labelled("help:", remedy, screen);
    }
    if let Some(pointer) = verdict.pointer.as_ref().filter(|_| !is_untouched(chapter)) {
        out += &format!("\n{}", labelled("in its trace:", pointer, screen));
    }
    if is_untouched(chapter) {
        let begin =
            "this is the exercise as it was handed out, and it is meant to fail; begin here:";
        out += &format!("\n{}", screen.wrapped(begin, ""));
        out += &todos(chapter, screen);
    }
    let see = verdict.diagnosis.as_ref().map_or("", |diagnosis| &diagnosis.see);
    let place = match see.contains('#') {
        true => see.to_owned(),
        false if see.is_empty() => format!("{}.md", chapter.name),
        false => format!("{}.md#{see}", chapter.name),
    };
    let page = match pack::edition() {
        Some(_) => format!("book/book/{}", place.replace(".md", ".html")),
        None => format!("book/src/{place}"),
    };
    out += &format!(
        "\nedit   exercises/{}/src/main.rs\ncheck  {}:{}\nread   {page}\n       (`cargo xtask book --open` shows it as a page)\n",
        chapter.name,
        source(chapter, step),
        verdict.line
    );
    if let Some(trace) = &run.trace {
        out += &format!("trace  cargo xtask trace --from {}\n", shown(trace));
    }
    out
}

/// The file that a step is in.
fn source(chapter: &Chapter, step: &Step) -> String {
    match step.private_file(chapter) {
        Some(file) => file.display().to_string(),
        None => format!("exercises/{}/tests/check.rs", chapter.name),
    }
}

fn labelled(label: &str, text: &str, screen: Screen) -> String {
    screen.hanging(&format!("{label} "), text).replacen(label, &screen.strong(label), 1)
}

/// What the program has printed, marked as such, and not too much of it.
fn printed(stdout: &str, stderr: &str) -> String {
    const MOST: usize = 20;
    // A panic begins with an empty line.
    let lines: Vec<&str> = stdout.trim().lines().chain(stderr.trim().lines()).collect();
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n");
    for line in lines.iter().take(MOST) {
        let plain: String = screen::plain(line).chars().take(200).collect();
        out += &format!("your program | {plain}\n");
    }
    if lines.len() > MOST {
        out += &format!("your program | … and {} lines more\n", lines.len() - MOST);
    }
    out
}

/// The places to fill, with their lines.
fn todos(chapter: &Chapter, screen: Screen) -> String {
    let text = fs::read_to_string(chapter.program()).unwrap_or_default();
    let lines = todos_of(&text).into_iter();
    lines.map(|todo| screen.hanging(&format!("  line {}: ", todo.line), &todo.text)).collect()
}

fn cannot(run: &StepRun, screen: Screen) -> String {
    let verdict = &run.verdict;
    let mut out = String::from(match verdict.has_run() {
        false => "\nthis machine cannot check it; your program has not run\n",
        true => {
            "\nthis machine cannot check it; your program has failed, perhaps only because of that\n"
        }
    });
    out += &format!("  {}\n", screen::plain_lines(&verdict.refused));
    if let Some(Diagnosis { cause, remedy, .. }) = &verdict.diagnosis {
        out += &screen.wrapped(cause, "  ");
        out += &labelled("help:", remedy, screen);
    }
    out + "`cargo xtask doctor` tries everything that the exercises need\n"
}

fn broken(chapter: &Chapter, run: &StepRun) -> String {
    let mut out = String::from(
        "\nthe check itself broke, which is no verdict on your program. It printed:\n",
    );
    out.extend(run.output.trim().lines().map(|line| format!("check | {}\n", screen::plain(line))));
    out + &format!(
        "help: has exercises/{0}/tests/check.rs been changed? `git diff exercises/{0}` shows it\n",
        chapter.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_cannot_paint_the_screen() {
        assert_eq!(printed("", "\x1b[2Jgone\x07"), "\nyour program | gone\n");
        let flood = printed(&"x\n".repeat(1000), "");
        assert_eq!(flood.lines().count(), 22);
        assert!(flood.ends_with("… and 980 lines more\n"));
    }
}
