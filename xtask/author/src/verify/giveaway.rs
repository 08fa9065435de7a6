//! How much of an exercise its page gives away: the lines that the solution adds to the stub, and those
//! among them that stand on the page before the exercise, on another page of the chapter, or in a hint.

use std::path::Path;

use xtask::shared::answer::{added, spaceless, stands_in};
use xtask::shared::chapter::{Chapter, read};

/// At most so many of a hundred lines may be given away in a chapter, and on average.
const MOST: usize = 25;
pub(super) const MOST_ON_AVERAGE: usize = 15;

/// A page has this heading since its exercise has to be thought out.
const SECOND_EDITION: &str = "\n## Find the fault\n";

/// Of one chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Giveaway {
    /// How many lines there are to write.
    pub(super) lines: usize,
    /// How many of them can be read first.
    pub(super) given: usize,
}

/// Measures a chapter. `None` if its page still shows the solution before the exercise.
pub(super) fn measure(chapter: &Chapter, texts: [&str; 5]) -> Option<(Giveaway, Vec<String>)> {
    let [stub, solution, page, other_pages, hints] = texts;
    if !page.contains(SECOND_EDITION) {
        return None;
    }
    let before = page.split("\n## Exercise").next().unwrap_or_default();
    let folder = chapter.page();
    let folder = folder.parent().unwrap_or(Path::new("/"));
    let readable = [&expanded(before, folder), &expanded(other_pages, folder), hints].join("\n");
    let readable: Vec<String> = readable.lines().map(spaceless).collect();
    let added = added(stub, solution);
    let given: Vec<&String> = added.iter().filter(|line| stands_in(line, &readable)).collect();
    let giveaway = Giveaway { lines: added.len(), given: given.len() };

    let mut faults = Vec::new();
    let fewest = if chapter.number() <= 3 { 12 } else { 20 };
    if giveaway.lines < fewest {
        faults.push(format!("{} lines to write; at least {fewest}", giveaway.lines));
    }
    if giveaway.percent() > MOST {
        faults.push(format!(
            "{} of {} lines can be read first: {given:?}",
            given.len(),
            added.len()
        ));
    }
    Some((giveaway, faults))
}

impl Giveaway {
    pub(super) fn percent(self) -> usize {
        100 * self.given / self.lines.max(1)
    }
}

/// The text with the files that it includes.
fn expanded(page: &str, folder: &Path) -> String {
    let mut text = String::new();
    for line in page.lines() {
        let include =
            line.trim().strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}"));
        match include {
            Some(argument) => {
                let (path, anchor) = argument.split_once(':').unwrap_or((argument, ""));
                // A file that is not there is a fault where the book is built.
                let file = read(&folder.join(path)).unwrap_or_default();
                text += &part(&file, anchor);
            }
            None => text += line,
        }
        text.push('\n');
    }
    text
}

/// What stands between the comments of an anchor, or the whole text.
fn part(text: &str, anchor: &str) -> String {
    let ends = ["ANCHOR: ", "ANCHOR_END: "].map(|mark| format!("// {mark}{anchor}\n"));
    let inside = text.split_once(&ends[0]).and_then(|(_, rest)| rest.split_once(&ends[1]));
    inside.map_or(text, |(inside, _)| inside).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUB: &str = "use std::fs;\nfn main() {\n    run();\n}\n\nfn run() {\n    // TODO\n}\n";
    const SOLUTION: &str = "use std::{\n    fs,\n    io,\n};\nuse nix::x;\nfn main() {\n    run();\n}\n\n\
        // Why.\nfn run() {\n    unshare(CloneFlags::CLONE_NEWUTS)?;\n    let a = 1;\n}\n";

    fn measured(page: &str, other: &str, hints: &str) -> Option<(Giveaway, Vec<String>)> {
        let chapter = Chapter { name: "ch02-unshare".into() };
        measure(&chapter, [STUB, SOLUTION, page, other, hints])
    }

    #[test]
    fn a_page_that_shows_the_solution_is_a_fault() {
        let page = |before: &str, after: &str| {
            format!("{before}\n\n## Exercise\n\nDo it.\n\n## Find the fault\n\n{after}\n")
        };
        let line = "    unshare( CloneFlags::CLONE_NEWUTS )?;";
        let (none, faults) = measured(&page("", line), "", "").unwrap();
        assert_eq!((none.lines, none.given), (2, 0));
        assert_eq!(faults, ["2 lines to write; at least 12"]);
        for [before, other, hint] in [[line, "", ""], ["", line, ""], ["", "", line]] {
            let (half, faults) = measured(&page(before, ""), other, hint).unwrap();
            assert_eq!((half.given, half.percent()), (1, 50));
            assert!(faults[1].starts_with("1 of 2 lines can be read first"), "{faults:?}");
        }
    }

    #[test]
    fn what_a_page_includes_counts() {
        let chapter = Chapter { name: "ch02-unshare".into() };
        let page = "{{#include ../../solutions/ch02-unshare/src/main.rs:run}}\n";
        let text = expanded(page, chapter.page().parent().unwrap());
        assert!(text.contains("unshare(CloneFlags::CLONE_NEWUTS)") && !text.contains("fn main"));
        assert!(
            expanded(&page.replace(":run", ""), chapter.page().parent().unwrap())
                .contains("fn main")
        );
    }

    #[test]
    fn a_page_of_the_first_edition_is_not_measured() {
        assert_eq!(measured("## Exercise\n", "", ""), None);
    }
}
