//! `cargo xtask diff CHAPTER`: the reader's program beside the solution.

use std::process::ExitCode;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::{Chapter, read};
use crate::shared::failure::Result;
use crate::shared::pack;
use crate::shared::progress::Progress;
use crate::shared::question;
use crate::shared::screen::{self, Screen};

pub(crate) const USAGE: Usage = Usage {
    name: "diff",
    forms: &[("CHAPTER", "your program beside the solution")],
    options: &[("--yes", "also where the chapter is not solved yet, and without asking")],
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
    if pack::edition().is_some() {
        return Err(pack::lacks("no solutions"));
    }
    let own = read(&chapter.program()).map_err(|failure| {
        failure.help(format!("`cargo xtask reset {}` brings the exercise back", chapter.short()))
    })?;
    let solution = without_anchors(&read(&chapter.solution().join("src/main.rs"))?);
    if !yes && !Progress::load().is_solved(&chapter) && !asked(&chapter)? {
        return Ok(ExitCode::SUCCESS);
    }
    let screen = Screen::stdout();
    screen::print(&match unified(&own, &solution, screen) {
        same if same.is_empty() => "they are the same\n".to_owned(),
        hunks => format!(
            "--- exercises/{0}/src/main.rs\n+++ solutions/{0}/src/main.rs\n{hunks}",
            chapter.name
        ),
    });
    Ok(ExitCode::SUCCESS)
}

/// Asks before the solution is shown.
fn asked(chapter: &Chapter) -> Result<bool> {
    let why = format!("{} is not solved yet", chapter.name);
    question::consent(&why, "show the solution?", "see the solution anyway")
}

/// Without the marks at which the book cuts its listings.
pub(crate) fn without_anchors(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("// ANCHOR"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// What a file says about itself at its top, which is no part of the answer, and the rest.
fn split_header(text: &str) -> (&str, &str) {
    let header = text.split_inclusive('\n').take_while(|line| line.starts_with("//!"));
    text.split_at(header.map(str::len).sum())
}

/// A line of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<T> {
    Both(T),
    Left(T),
    Right(T),
}

/// Compares two texts line by line, by their longest common subsequence.
pub(crate) fn compare<'a, T: PartialEq>(left: &'a [T], right: &'a [T]) -> Vec<Line<&'a T>> {
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
            lines.push(Line::Both(&right[j]));
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || i < left.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(Line::Left(&left[i]));
            i += 1;
        } else {
            lines.push(Line::Right(&right[j]));
            j += 1;
        }
    }
    lines
}

/// The hunks of a unified diff, as patch(1) reads them; nothing if the texts are the same but for
/// their headers.
fn unified(left: &str, right: &str, screen: Screen) -> String {
    const CONTEXT: usize = 3;
    let (left_header, left) = split_header(left);
    let (right_header, right) = split_header(right);
    let (left, right): (Vec<_>, Vec<_>) = (left.lines().collect(), right.lines().collect());
    let lines = compare(&left, &right);
    let changed =
        |index: usize| lines.get(index).is_some_and(|line| !matches!(line, Line::Both(_)));
    let near = |index: usize| (index.saturating_sub(CONTEXT)..=index + CONTEXT).any(changed);
    // Line numbers of what comes next, from 1.
    let mut in_left = 1 + left_header.lines().count();
    let mut in_right = 1 + right_header.lines().count();
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if near(index) {
            if index == 0 || !near(index - 1) {
                let hunk = lines.iter().enumerate().skip(index);
                let hunk: Vec<_> =
                    hunk.take_while(|(at, _)| near(*at)).map(|(_, line)| line).collect();
                out += &screen.strong(&header(&hunk, in_left, in_right));
                out.push('\n');
            }
            out += &match line {
                Line::Both(text) => format!(" {text}"),
                Line::Left(text) => screen.bad(&format!("-{text}")),
                Line::Right(text) => screen.good(&format!("+{text}")),
            };
            out.push('\n');
        }
        in_left += usize::from(!matches!(line, Line::Right(_)));
        in_right += usize::from(!matches!(line, Line::Left(_)));
    }
    out
}

/// `@@ -FROM,COUNT +FROM,COUNT @@`. A side without lines is said to come after the line before.
fn header<T>(hunk: &[&Line<T>], in_left: usize, in_right: usize) -> String {
    let left = hunk.iter().filter(|line| !matches!(line, Line::Right(_))).count();
    let right = hunk.iter().filter(|line| !matches!(line, Line::Left(_))).count();
    let from = |start: usize, count: usize| if count == 0 { start - 1 } else { start };
    format!("@@ -{},{left} +{},{right} @@", from(in_left, left), from(in_right, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_lines_are_found() {
        use Line::{Both, Left, Right};
        let lines = compare(&['a', 'b', 'c'], &['a', 'x', 'c']);
        assert_eq!(lines, [Both(&'a'), Left(&'b'), Right(&'x'), Both(&'c')]);
        assert_eq!(compare(&[], &['a']), [Right(&'a')]);
        assert_eq!(compare(&['a'], &[]), [Left(&'a')]);
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
        assert_eq!(
            unified(left, &left.replace('x', "y\nz"), screen),
            "@@ -5,4 +5,5 @@\n 5\n 6\n 7\n-x\n+y\n+z\n"
        );
        assert_eq!(unified("", "a\n", screen), "@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(unified(left, left, screen), "");
        let headed = "//! Title.\n//!\n";
        assert_eq!(unified(&format!("{headed}a\n"), "//! Else.\na\n", screen), "");
        assert_eq!(unified(&format!("{headed}a\n"), "b\n", screen), "@@ -3,1 +1,1 @@\n-a\n+b\n");
    }
}
