//! `{{#include PATH}}`: a part of a file.

use crate::fault::Problem;

/// What stands after `{{#include`.
#[derive(Debug, PartialEq)]
pub(crate) struct Include {
    /// The file, relative to the page.
    pub(crate) path: String,
    excerpt: Excerpt,
}

#[derive(Debug, PartialEq)]
enum Excerpt {
    Whole,
    Anchor(String),
    Lines(usize, Option<usize>),
}

impl Include {
    /// Parses `PATH`, `PATH:ANCHOR`, `PATH:LINE` or `PATH:FIRST:LAST`, where either may be absent.
    pub(crate) fn parse(argument: &str) -> Result<Include, Problem> {
        let malformed = || {
            Problem::new(format!("malformed include `{argument}`"))
                .help("write PATH, PATH:ANCHOR or PATH:FIRST:LAST")
        };
        let number = |text: &str| text.parse::<usize>().map_err(|_| malformed());
        let mut fields = argument.split(':');
        let path = fields.next().unwrap_or_default().to_owned();
        let rest: Vec<&str> = fields.collect();
        let excerpt = match rest[..] {
            [] => Excerpt::Whole,
            [line] if line.parse::<usize>().is_ok() => {
                Excerpt::Lines(number(line)?, Some(number(line)?))
            }
            [anchor] if is_anchor(anchor) => Excerpt::Anchor(anchor.to_owned()),
            [first, last] => Excerpt::Lines(
                if first.is_empty() { 1 } else { number(first)? },
                if last.is_empty() { None } else { Some(number(last)?) },
            ),
            _ => return Err(malformed()),
        };
        if path.is_empty() || path.contains(char::is_whitespace) {
            return Err(malformed());
        }
        Ok(Include { path, excerpt })
    }

    /// Cuts the excerpt out of the text of the file. Lines with an anchor comment are left out.
    pub(crate) fn cut(&self, text: &str) -> Result<String, Problem> {
        let lines: Vec<&str> = text.lines().collect();
        let (first, last) = match &self.excerpt {
            Excerpt::Whole => (0, lines.len()),
            Excerpt::Anchor(name) => between_anchors(&lines, name)?,
            &Excerpt::Lines(first, last) => {
                let last = last.unwrap_or(lines.len());
                if first < 1 || first > last {
                    return Err(Problem::new(format!("empty range {first} to {last}"))
                        .help(format!("the file has {} lines", lines.len())));
                }
                if last > lines.len() {
                    let help = format!("the file has {} lines", lines.len());
                    return Err(Problem::new(format!("line {last} is past the end")).help(help));
                }
                (first - 1, last)
            }
        };
        let kept = lines[first..last].iter().filter(|line| mark(line).is_none());
        let text: String = kept.flat_map(|line| [line, "\n"]).collect();
        if text.trim().is_empty() {
            return Err(Problem::new("nothing is included: every line is blank"));
        }
        Ok(text)
    }
}

/// Removes the indentation that all lines of a listing share.
pub(crate) fn dedent(text: &str) -> String {
    let indents = text.lines().filter(|line| !line.trim().is_empty());
    let common = indents.map(|line| line.len() - line.trim_start_matches(' ').len()).min();
    let common = common.unwrap_or_default();
    text.lines().flat_map(|line| [line.get(common..).unwrap_or_default(), "\n"]).collect()
}

/// The range of lines between an anchor's two comments.
fn between_anchors(lines: &[&str], name: &str) -> Result<(usize, usize), Problem> {
    let places = |wanted: Mark| {
        let hits = lines.iter().enumerate().filter(move |(_, line)| mark(line) == Some(wanted));
        hits.map(|(n, _)| n).collect::<Vec<_>>()
    };
    match (&places(Mark::Start(name))[..], &places(Mark::End(name))[..]) {
        ([], _) => {
            let known = lines.iter().filter_map(|line| match mark(line) {
                Some(Mark::Start(name)) => Some(format!("`{name}`")),
                _ => None,
            });
            let known = known.collect::<Vec<_>>().join(", ");
            let problem = Problem::new(format!("unknown anchor `{name}`"));
            Err(problem.help(match known.as_str() {
                "" => "the file has no anchors".to_owned(),
                _ => format!("the file has {known}"),
            }))
        }
        ([_], []) => Err(Problem::new(format!("anchor `{name}` is not closed"))
            .help(format!("add a comment `ANCHOR_END: {name}`"))),
        (&[start], &[end]) if start < end => Ok((start, end)),
        _ => Err(Problem::new(format!("anchor `{name}` is not one opening and one end after it"))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark<'a> {
    Start(&'a str),
    End(&'a str),
}

/// The anchor comment of a line.
fn mark(line: &str) -> Option<Mark<'_>> {
    let (_, rest) = line.split_once("ANCHOR")?;
    let (end, rest) = match rest.strip_prefix("_END:") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest.strip_prefix(':')?.trim_start()),
    };
    let name = &rest[..rest.find(|c| !anchor_char(c)).unwrap_or(rest.len())];
    match (name, end) {
        ("", _) => None,
        (name, true) => Some(Mark::End(name)),
        (name, false) => Some(Mark::Start(name)),
    }
}

fn is_anchor(name: &str) -> bool {
    !name.is_empty() && name.chars().all(anchor_char)
}

fn anchor_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "one\n// ANCHOR: a\ntwo\n// ANCHOR: b\n  three\n// ANCHOR_END: b\n\
        // ANCHOR_END: a\n// ANCHOR: open\nlast\n";

    fn cut(argument: &str) -> Result<String, String> {
        Include::parse(argument).and_then(|i| i.cut(FILE)).map_err(|p| p.to_string())
    }

    #[test]
    fn parts_are_cut_without_anchor_comments() {
        assert_eq!(cut("f.rs").unwrap(), "one\ntwo\n  three\nlast\n");
        assert_eq!(cut("f.rs:a").unwrap(), "two\n  three\n");
        assert_eq!(cut("f.rs:b").unwrap(), "  three\n");
        assert_eq!(cut("f.rs:3").unwrap(), "two\n");
        assert_eq!(cut("f.rs:3:5").unwrap(), "two\n  three\n");
        assert_eq!(cut("f.rs::1").unwrap(), "one\n");
        assert_eq!(cut("f.rs:9:").unwrap(), "last\n");
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (argument, what) in [
            ("f.rs:c", "unknown anchor `c`"),
            ("f.rs:open", "anchor `open` is not closed"),
            ("f.rs:5:3", "empty range 5 to 3"),
            ("f.rs:0:3", "empty range 0 to 3"),
            ("f.rs:4:44", "line 44 is past the end"),
            ("f.rs:2:2", "nothing is included: every line is blank"),
            ("f.rs:1:2:3", "malformed include `f.rs:1:2:3`"),
            ("f.rs:", "malformed include `f.rs:`"),
            (":a", "malformed include `:a`"),
        ] {
            assert_eq!(cut(argument).unwrap_err(), what, "{argument}");
        }
    }

    #[test]
    fn common_indentation_goes() {
        assert_eq!(dedent("    a\n\n      b\n"), "a\n\n  b\n");
    }
}
