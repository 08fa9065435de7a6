//! `cargo xtask diff CHAPTER`: the reader's program beside the solution.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::chapter::Chapter;
use crate::failure::{Failure, Result};
use crate::progress::{self, Progress, State};
use crate::screen::{self, Screen};

pub(crate) fn run(words: &[&str]) -> Result {
    let (chapter, yes) = match words {
        [chapter] => (Chapter::find(chapter)?, false),
        [chapter, "--yes"] | ["--yes", chapter] => (Chapter::find(chapter)?, true),
        _ => return Err(Failure::usage("usage: cargo xtask diff CHAPTER [--yes]")),
    };
    if !yes && !solved(&chapter) && !asked(&chapter)? {
        return Ok(ExitCode::SUCCESS);
    }
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path);
        text.map_err(|error| Failure::new(format!("could not read `{}`: {error}", path.display())))
    };
    let own = read(chapter.program())?;
    let solution = without_anchors(&read(chapter.solution().join("src/main.rs"))?);
    let screen = Screen::stdout();
    screen::print(&format!(
        "--- exercises/{0}/src/main.rs\n+++ solutions/{0}/src/main.rs\n",
        chapter.name
    ));
    screen::print(&unified(&own, &solution, screen));
    Ok(ExitCode::SUCCESS)
}

fn solved(chapter: &Chapter) -> bool {
    let entry = Progress::load().of(chapter);
    entry.state == State::Solved && entry.hash == progress::hash(chapter)
}

/// Asks before the solution is shown. Who cannot be asked has to say so beforehand.
fn asked(chapter: &Chapter) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{} is not solved yet, and nobody is there to be asked",
            chapter.name
        ))
        .help("add `--yes` to see the solution all the same"));
    }
    print!("{} is not solved yet. Show the solution? [y/N] ", chapter.name);
    _ = std::io::stdout().flush();
    let mut answer = String::new();
    _ = std::io::stdin().read_line(&mut answer);
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The marks by which the book cuts its listings are no part of the program.
pub(crate) fn without_anchors(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("// ANCHOR"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A line of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Both(&'a str),
    Left(&'a str),
    Right(&'a str),
}

/// Compares two texts line by line, by their longest common subsequence.
pub(crate) fn compare<'a>(left: &'a str, right: &'a str) -> Vec<Line<'a>> {
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    // common[i][j]: how many lines left[i..] and right[j..] have in common.
    let mut common = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i][j] = match left[i] == right[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            lines.push(Line::Both(left[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || i < left.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(Line::Left(left[i]));
            i += 1;
        } else {
            lines.push(Line::Right(right[j]));
            j += 1;
        }
    }
    lines
}

fn unified(left: &str, right: &str, screen: Screen) -> String {
    const CONTEXT: usize = 3;
    let lines = compare(left, right);
    let changed =
        |index: usize| lines.get(index).is_some_and(|line| !matches!(line, Line::Both(_)));
    let near = |index: usize| (index.saturating_sub(CONTEXT)..=index + CONTEXT).any(changed);
    let mut out = String::new();
    let mut gap = false;
    for (index, line) in lines.iter().enumerate() {
        if !near(index) {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) {
            out += "…\n";
        }
        out += &match line {
            Line::Both(text) => format!("  {text}\n"),
            Line::Left(text) => screen.bad(&format!("- {text}")) + "\n",
            Line::Right(text) => screen.good(&format!("+ {text}")) + "\n",
        };
    }
    if out.is_empty() { "they are the same\n".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_lines_are_found() {
        use Line::{Both, Left, Right};
        assert_eq!(compare("a\nb\nc", "a\nx\nc"), [Both("a"), Left("b"), Right("x"), Both("c")]);
        assert_eq!(compare("", "a"), [Right("a")]);
        assert_eq!(compare("a", ""), [Left("a")]);
    }

    #[test]
    fn anchors_are_no_difference() {
        assert_eq!(
            without_anchors("// ANCHOR: run\nfn run() {}\n// ANCHOR_END: run\n"),
            "fn run() {}\n"
        );
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let screen = Screen { terminal: false, colour: false, width: 80 };
        let left = "1\n2\n3\n4\n5\n6\n7\nx\n";
        assert_eq!(unified(left, &left.replace('x', "y"), screen), "…\n  5\n  6\n  7\n- x\n+ y\n");
        assert_eq!(unified(left, left, screen), "they are the same\n");
    }
}
