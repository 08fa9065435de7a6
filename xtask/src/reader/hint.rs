//! `cargo xtask hint CHAPTER`: one more hint each time; the last names the call.

use std::process::ExitCode;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::{Chapter, read};
use crate::shared::failure::{Failure, Result};
use crate::shared::pack;
use crate::shared::progress::Progress;
use crate::shared::screen::{self, Screen};

/// Which hints to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one after those that have been shown.
    Next,
    /// The first, and so on from there.
    First,
    All,
}

pub(crate) const USAGE: Usage = Usage {
    name: "hint",
    forms: &[("CHAPTER", "one more hint each time")],
    options: &[("--again", "the first one again, and so on from there"), ("--all", "all of them")],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut chapter, mut which) = (None, Which::Next);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("again") => which = Which::First,
            Argument::Long("all") => which = Which::All,
            Argument::Value(name) if chapter.is_none() => chapter = Some(Chapter::find(name)?),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let chapter = chapter.ok_or_else(|| USAGE.needs("a chapter"))?;
    screen::print(&next(&chapter, which)?);
    Ok(ExitCode::SUCCESS)
}

/// The text of the hints to show now. From then on they count as shown.
pub(crate) fn next(chapter: &Chapter, which: Which) -> Result<String> {
    let file = chapter.exercise().join("hints.md");
    let hints = parse(&read(&file)?);
    if hints.is_empty() {
        return Err(Failure::new(format!("`{}` holds no hint", file.display())));
    }
    let mut progress = Progress::load();
    let mut entry = progress.of(chapter);
    let (from, to) = match which {
        Which::All => (0, hints.len()),
        Which::First => (0, 1),
        // A reader who has seen all of them sees the last one again.
        Which::Next => (entry.hints.min(hints.len() - 1), (entry.hints + 1).min(hints.len())),
    };
    entry.hints = to;
    progress.keep(entry);
    Ok(shown(chapter, &hints, from, to))
}

fn shown(chapter: &Chapter, hints: &[(String, String)], from: usize, to: usize) -> String {
    let screen = Screen::stdout();
    let mut out = String::new();
    for (index, (title, body)) in hints.iter().enumerate().take(to).skip(from) {
        let title = format!("hint {} of {}: {title}", index + 1, hints.len());
        out += &format!("{}\n\n{}", screen.strong(&title), filled(body, screen));
    }
    out += &match hints.len() - to {
        0 if pack::edition().is_some() => "the last\n".to_owned(),
        0 => format!("the last; `cargo xtask diff {}` shows the solution\n", chapter.short()),
        1 => format!("one more: `cargo xtask hint {}`\n", chapter.short()),
        more => format!("{more} more: `cargo xtask hint {}`\n", chapter.short()),
    };
    out
}

/// Prose in lines as long as the screen; code, lists and the like as they are.
fn filled(body: &str, screen: Screen) -> String {
    let mut out = String::new();
    let mut code = false;
    for paragraph in body.split("\n\n") {
        let fences = paragraph.lines().filter(|line| line.starts_with("```")).count();
        let prose = !code
            && fences == 0
            && paragraph.starts_with(|c: char| c.is_alphanumeric() || c == '`');
        out += &if prose { screen.wrapped(paragraph, "") } else { format!("{paragraph}\n") };
        out.push('\n');
        code ^= fences % 2 == 1;
    }
    out
}

/// Titles and bodies of the `## ` sections.
fn parse(text: &str) -> Vec<(String, String)> {
    let mut hints: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("## "), hints.last_mut()) {
            (Some(title), _) => hints.push((title.trim().to_owned(), String::new())),
            (None, Some((_, body))) => *body += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    for (_, body) in &mut hints {
        *body = body.trim().to_owned();
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_begins_a_hint() {
        let hints = parse("before\n## One\n\nfirst\nline\n\n## Two\nsecond\n");
        assert_eq!(hints, [("One".into(), "first\nline".into()), ("Two".into(), "second".into())]);
    }

    #[test]
    fn prose_is_filled_and_code_is_not() {
        let screen = Screen { terminal: false, colour: false, width: 20 };
        let body = "one two\nthree four five six\n\n```rust\na\n\nb\n```\n\n- an item\n- another";
        assert_eq!(
            filled(body, screen),
            "one two three four\nfive six\n\n```rust\na\n\nb\n```\n\n- an item\n- another\n\n"
        );
    }
}
