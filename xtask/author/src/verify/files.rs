//! The files of a chapter: whether they are in order, and which programs come from them.

use std::path::PathBuf;

use harness::mistakes;

use super::candidates::{self, Candidate};
use super::{Findings, giveaway, promises, rules};
use xtask::shared::chapter::{self, Chapter, shown};
use xtask::shared::screen::print;

/// The chapter in whose solution the mistakes are made that any chapter may have.
const HAS_GENERAL_MISTAKES: &str = "ch02-unshare";

/// Reads a chapter's files and enters what is wrong with them. Returns the chapter's own programs.
pub(super) fn read(
    chapter: &Chapter,
    any_progress: bool,
    findings: &mut Findings,
) -> Vec<Candidate> {
    let name = &chapter.name;
    let mut missing = Vec::new();
    let mut text = |path: PathBuf| {
        chapter::read(&path).unwrap_or_else(|failure| {
            missing.push(failure.to_string());
            String::new()
        })
    };
    let stub = text(chapter.stub());
    let program = text(chapter.program());
    let solution = text(chapter.solution().join("src/main.rs"));
    let page = text(chapter.page());
    let other_pages: String = chapter.other_pages().into_iter().map(&mut text).collect();
    let hints = text(chapter.exercise().join("hints.md"));
    let table = text(chapter.exercise().join("mistakes.toml"));
    let promised = text(chapter.exercise().join("promises.toml"));
    let check = text(chapter.exercise().join("tests/check.rs"));
    let further = chapter.further();
    let further = further.is_file().then(|| text(further));
    _ = text(chapter.exercise().join("Cargo.toml"));
    _ = text(chapter.solution().join("Cargo.toml"));
    findings.fact(name, "all files are there", missing);

    if !any_progress {
        let touched =
            if program == stub { vec![] } else { vec!["src/main.rs is not stub.rs".into()] };
        findings.fact(name, "src/main.rs is the stub", touched);
    }
    findings.fact(name, "each TODO names its man pages", rules::todo_faults(&stub));
    findings.fact(
        name,
        "the solution has the items of the stub, in their order",
        rules::item_faults(&stub, &solution),
    );
    match giveaway::measure(chapter, [&stub, &solution, &page, &other_pages, &hints]) {
        Some((giveaway, faults)) => {
            let sentence = format!(
                "{} lines to write, {} of them on the page before the exercise or in a hint",
                giveaway.lines, giveaway.given
            );
            findings.fact(name, &sentence, faults);
            findings.giveaways.push(giveaway);
        }
        None => print(&format!(
            "skipped: {name}: how much is given away (its page shows the solution first)\n"
        )),
    }
    let few = match rules::hints(&hints) {
        0 | 1 => vec!["hints.md: fewer than two hints (each begins with `## `)".into()],
        _ => vec![],
    };
    findings.fact(name, "it has hints", few);
    findings.fact(name, "it has a figure of a recorded run", figure_faults(chapter, &page));

    let mut candidates = vec![candidates::solution(), candidates::stub(chapter, stub.clone())];
    if let Some(further) = &further {
        let solution = solution.clone();
        candidates.extend(candidates::further(chapter, solution, further.clone()));
    }
    let (made, faults) = mistakes_of(chapter, &table, &solution, further.as_deref());
    candidates.extend(made);
    findings.fact(name, "the table of mistakes is in order", faults);

    for (sentence, programs) in [
        ("other correct programs can be read", candidates::others(chapter)),
        ("each fake names the step that refuses it", candidates::fakes(chapter)),
        ("each wrong program says what it has to be told", candidates::tries(chapter)),
    ] {
        let faults = match programs {
            Ok(programs) => {
                candidates.extend(programs);
                Vec::new()
            }
            Err(error) => vec![error],
        };
        findings.fact(name, sentence, faults);
    }

    let (table, mut faults) = match promises::read(&promised) {
        Ok(table) => (table, Vec::new()),
        Err(error) => (promises::Table::default(), vec![format!("promises.toml: {error}")]),
    };
    faults.extend(promises::gaps(&table, &check, &page));
    let further_steps = promises::further_steps(&check);
    for (index, promise) in table.promises.iter().enumerate() {
        let keeps = match &further {
            Some(further) if further_steps.contains(&promise.step) => further,
            _ => &solution,
        };
        match candidates::breaking(chapter, index + 1, promise, keeps, &candidates) {
            Ok(breaking) => candidates.push(breaking),
            Err(error) => faults.push(format!("promise {:?}: {error}", promise.says)),
        }
    }
    findings.fact(name, "the table has a row for each sentence that asks for something", faults);
    candidates
}

/// The chapter's mistakes made in its solution, or in the program that goes `further`, and what is wrong
/// with their table. Whether each points
/// at a heading of the page is checked where the book is built.
fn mistakes_of(
    chapter: &Chapter,
    table: &str,
    solution: &str,
    further: Option<&str>,
) -> (Vec<Candidate>, Vec<String>) {
    let (mut mistakes, mut faults) = match mistakes::of_chapter(table) {
        Ok(mistakes) => (mistakes, Vec::new()),
        Err(error) => (Vec::new(), vec![format!("mistakes.toml: {error}")]),
    };
    if mistakes.len() < 4 {
        faults.push(format!("mistakes.toml: {} rows; a chapter has at least four", mistakes.len()));
    }
    if chapter.name == HAS_GENERAL_MISTAKES {
        // A row without an edit would be the solution itself, which passes: a fault, as it should be.
        mistakes.extend(mistakes::general());
    }
    let mut candidates = Vec::new();
    for (index, mistake) in mistakes.iter().enumerate() {
        let right = if mistake.further { further.unwrap_or_default() } else { solution };
        match candidates::mistake(chapter, index + 1, mistake, right) {
            Ok(made) => candidates.extend(made),
            Err(error) => faults.push(format!("mistake {:?}: {error}", mistake.name)),
        }
    }
    (candidates, faults)
}

/// That each figure has been recorded, and shows what happens today, is checked by the tests of the book.
fn figure_faults(chapter: &Chapter, page: &str) -> Vec<String> {
    if page.lines().any(|line| line.starts_with("```figure,")) {
        return Vec::new();
    }
    vec![format!(
        "{}: no figure; write what to run, what to draw of it, and what there is to see:\n\
         ```figure,root-lab,name=NAME,view=membership,kinds=uts\n\
         # {} ARGS…\n\
         caption: …\n\
         ```\n\
         and then `cargo run -p book -- record`",
        shown(&chapter.page()),
        chapter.name
    )]
}
