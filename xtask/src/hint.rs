//! `cargo xtask hint CHAPTER`: one more hint each time; the last names the call.

use std::fs;
use std::process::ExitCode;

use crate::chapter::Chapter;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::screen::{self, Screen};

pub(crate) fn run(words: &[&str]) -> Result {
    let (chapter, how) = match words {
        [chapter] => (chapter, "one more"),
        [chapter, flag @ ("--all" | "--again")] | [flag @ ("--all" | "--again"), chapter] => {
            (chapter, *flag)
        }
        _ => return Err(Failure::usage("usage: cargo xtask hint CHAPTER [--all | --again]")),
    };
    let chapter = Chapter::find(chapter)?;
    screen::print(&next(&chapter, how)?);
    Ok(ExitCode::SUCCESS)
}

/// The text of the hints to show now. `how` is a flag of the command line.
pub(crate) fn next(chapter: &Chapter, how: &str) -> Result<String> {
    let file = chapter.exercise().join("hints.md");
    let text = fs::read_to_string(&file)
        .map_err(|error| Failure::new(format!("could not read `{}`: {error}", file.display())))?;
    let hints = parse(&text);
    let mut progress = Progress::load();
    let mut entry = progress.of(chapter);
    let shown = if how == "--again" { 0 } else { entry.hints };
    let (from, to) = match how {
        "--all" => (0, hints.len()),
        // Who has seen all sees the last one again.
        _ => (shown.min(hints.len().saturating_sub(1)), (shown + 1).min(hints.len())),
    };
    entry.hints = to;
    progress.keep(entry);

    let screen = Screen::stdout();
    let mut out = String::new();
    for (index, (title, body)) in hints.iter().enumerate().take(to).skip(from) {
        out += &format!(
            "{}\n\n{body}\n\n",
            screen.strong(&format!("hint {} of {}: {title}", index + 1, hints.len()))
        );
    }
    out += &match hints.len() - to {
        0 => format!(
            "that was the last; `cargo xtask diff {}` shows the solution\n",
            chapter.short()
        ),
        1 => "there is one more\n".to_owned(),
        more => format!("there are {more} more\n"),
    };
    Ok(out)
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
}
