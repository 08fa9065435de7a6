//! Finished programs with one mistake in them, for a reader to find.

use harness::mistakes::{self, Mistake};

use crate::shared::chapter::{Chapter, read, shown};
use crate::shared::edit;
use crate::shared::failure::{Failure, Result};

/// The chapter's program with each of its classic mistakes, in the order of the table. The mistakes of the
/// steps that go further are not among them, because a program with one of those solves the rest.
pub fn programs(chapter: &Chapter) -> Result<Vec<String>> {
    let solution = read(&chapter.solution().join("src/main.rs"))?;
    let table = chapter.exercise().join("mistakes.toml");
    let mistakes = mistakes::of_chapter(&read(&table)?)
        .map_err(|error| Failure::new(format!("`{}`: {error}", shown(&table))))?;
    let of_the_exercise = mistakes.iter().filter(|mistake| !mistake.further);
    of_the_exercise.map(|mistake| program(chapter, &solution, mistake)).collect()
}

/// Whether a chapter's program is one of these.
pub fn is_made(chapter: &Chapter, text: &str) -> bool {
    // Each begins with the same line, so most programs need no other look.
    text.starts_with(&head(chapter))
        && programs(chapter).is_ok_and(|programs| programs.iter().any(|made| made == text))
}

fn head(chapter: &Chapter) -> String {
    format!("//! {}: one thing is wrong here. Which step will fail, and why?\n", chapter.name)
}

/// The solution with the mistake, without comments that would give it away and anchors of the book.
fn program(chapter: &Chapter, solution: &str, mistake: &Mistake) -> Result<String> {
    let text = edit::apply(solution, &mistake.edits)
        .map_err(|error| Failure::new(format!("mistake {:?}: {error}", mistake.name)))?;
    let body = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//!") && !line.starts_with("// ANCHOR")
    });
    let body = body.collect::<Vec<_>>().join("\n");
    Ok(format!("{}\n{}\n", head(chapter), body.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness::mistakes::Edit;

    #[test]
    fn a_broken_solution_does_not_say_so_itself() {
        let chapter = Chapter { name: "ch02-unshare".into() };
        let edits = vec![Edit { find: "right()".into(), replace: "wrong()".into() }];
        let mut mistake = mistakes::general().remove(0);
        mistake.edits = edits;
        let solution = "//! ch02-unshare, solved.\n\n// ANCHOR: run\nfn main() {\n    right();\n}\n// ANCHOR_END: run\n";
        let text = program(&chapter, solution, &mistake).unwrap();
        assert!(text.ends_with("\n\nfn main() {\n    wrong();\n}\n"), "{text}");
        assert!(!text.contains("solved") && !text.contains("ANCHOR"), "{text}");
    }

    #[test]
    fn a_program_of_the_reader_is_not_taken_for_one() {
        let chapter = Chapter { name: "ch02-unshare".into() };
        let made = &programs(&chapter).unwrap()[0];
        assert!(is_made(&chapter, made));
        assert!(!is_made(&chapter, &made.replace("Command", "Kommand")));
        assert!(!is_made(&chapter, "fn main() {}\n"));
    }
}
