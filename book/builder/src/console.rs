//! Fences tagged `console`: how a session starts, what it needs, and the commands in it.
//!
//! A line that begins with the prompt (`# ` for root in the lab, `$ ` for the plain user) is a
//! command, and the lines below it are what it printed.

use crate::fault::Problem;
use crate::needs::Need;
use crate::page::{Fence, Page};
use anyhow::{Result, anyhow};
use lab::sandbox::State;

/// A fence tagged `console`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsoleFence {
    /// The line of the page on which the body starts, counted from 1.
    pub(crate) line: usize,
    pub(crate) session: Session,
    /// The lines of the body, without line ends.
    pub(crate) body: Vec<String>,
}

/// Whether a run produces a console fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    /// A run produces it, and a test compares it with another run.
    Recorded {
        start: State,
        /// `in=NAME`: the fences of one page with the same name share one shell.
        shell: Option<String>,
        /// `needs=…`, in the order written.
        needs: Vec<Need>,
    },
    /// It cannot be recorded, for this reason.
    Unrecorded(String),
}

/// Returns the console fences of a page in order, or the first one's fault.
pub(crate) fn console_fences(markdown: &str) -> Result<Vec<ConsoleFence>> {
    let fences = Page::parse(markdown).fences;
    let console = fences.iter().filter(|fence| fence.language() == "console");
    console
        .map(|fence| {
            ConsoleFence::parse(fence).map_err(|problem| anyhow!("line {}: {problem}", fence.line))
        })
        .collect()
}

impl ConsoleFence {
    pub(crate) fn parse(fence: &Fence) -> Result<ConsoleFence, Problem> {
        let (mut start, mut shell, mut needs, mut reason) = (None, None, Vec::new(), None);
        for (name, value) in fence.attributes()? {
            let twice = match (name.as_str(), value) {
                ("root-lab", None) => start.replace(State::RootLab).is_some(),
                ("plain-user", None) => start.replace(State::PlainUser).is_some(),
                ("in", Some(name)) if !name.is_empty() => shell.replace(name).is_some(),
                ("unrecorded", Some(why)) if !why.is_empty() => reason.replace(why).is_some(),
                ("needs", Some(need)) if !need.is_empty() => {
                    needs.push(Need::parse(&need));
                    false
                }
                (other, _) => {
                    let problem = Problem::new(format!("unknown console attribute `{other}`"));
                    return Err(problem.help(
                        "there are `root-lab`, `plain-user`, `in=NAME`, `needs=TOOL` and \
                         `unrecorded=\"reason\"`",
                    ));
                }
            };
            if twice {
                return Err(Problem::new(format!("`{name}` contradicts an attribute before it")));
            }
        }
        let session = match (start, reason) {
            (Some(start), None) => Session::Recorded { start, shell, needs },
            (None, Some(reason)) if shell.is_none() && needs.is_empty() => {
                Session::Unrecorded(reason)
            }
            (None, None) => {
                return Err(Problem::new("console fence without a start state").help(
                    "write ```console,root-lab or ```console,plain-user; what cannot be recorded \
                     says why: ```console,unrecorded=\"reason\"",
                ));
            }
            _ => {
                return Err(Problem::new(
                    "`unrecorded` stands alone: nothing is run, so nothing else applies",
                ));
            }
        };
        let body = fence.body.lines().map(str::to_owned).collect();
        Ok(ConsoleFence { line: fence.line + 1, session, body })
    }
}

pub(crate) fn prompt(start: State) -> &'static str {
    match start {
        State::RootLab => "# ",
        State::PlainUser => "$ ",
    }
}

/// The commands of a session: lines with the prompt, each with the lines after it that begin with
/// `> ` and continue it.
pub(crate) fn commands<'a>(body: impl IntoIterator<Item = &'a str>, prompt: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in body {
        if let Some(command) = line.strip_prefix(prompt) {
            commands.push(command.to_owned());
            is_open = true;
        } else if let (true, Some(more), Some(last)) =
            (is_open, line.strip_prefix("> "), commands.last_mut())
        {
            last.push('\n');
            last.push_str(more);
        } else {
            is_open = false;
        }
    }
    commands
}

/// A command as it stands in the page.
pub(crate) fn typed(command: &str, prompt: &str) -> Vec<String> {
    let mut lines = command.lines();
    let first = lines.next().map(|line| format!("{prompt}{line}"));
    first.into_iter().chain(lines.map(|line| format!("> {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(markdown: &str) -> Result<ConsoleFence, String> {
        console_fences(markdown)
            .map(|mut fences| fences.remove(0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_console_fence_has_its_attributes() {
        let fence = only(
            "one\n\n```console,root-lab, in=web,needs=util-linux-2.38.1,needs=python3\n# id\n\n```\n",
        )
        .unwrap();
        assert_eq!(fence.line, 4);
        assert_eq!(fence.body, ["# id", ""]);
        let needs = vec![Need::parse("util-linux-2.38.1"), Need::parse("python3")];
        let shell = Some("web".into());
        assert_eq!(fence.session, Session::Recorded { start: State::RootLab, shell, needs });
        let fence = only("```console,root-lab,in=web\n# hostname\nthrowaway\n```\n").unwrap();
        assert_eq!((fence.line, fence.body), (2, vec!["# hostname".into(), "throwaway".into()]));
    }

    #[test]
    fn a_reason_may_hold_commas() {
        let fence = only("```console,unrecorded=\"a laptop, asleep\"\n$ date\n```\n").unwrap();
        assert_eq!(fence.session, Session::Unrecorded("a laptop, asleep".into()));
    }

    #[test]
    fn a_fence_in_a_list_loses_its_indentation() {
        let fence = only("- item\n\n  ```console,plain-user\n  $ id\n    two\n  ```\n").unwrap();
        assert_eq!((fence.line, fence.body), (4, vec!["$ id".to_owned(), "  two".to_owned()]));
    }

    #[test]
    fn wrong_attributes_are_named() {
        let start = "line 1: console fence without a start state";
        assert_eq!(only("```console\n```\n").unwrap_err(), start);
        assert_eq!(only("```console,needs=x\n```\n").unwrap_err(), start);
        for (info, what) in [
            ("console,rootlab", "unknown console attribute `rootlab`"),
            ("console,root-lab,in=", "unknown console attribute `in`"),
            ("console,root-lab,plain-user", "`plain-user` contradicts an attribute before it"),
            ("console,root-lab plain-user", "malformed info string `console,root-lab plain-user`"),
            ("console,unrecorded=\"x", "unclosed quote in `console,unrecorded=\"x`"),
            (
                "console,root-lab,unrecorded=\"x\"",
                "`unrecorded` stands alone: nothing is run, so nothing else applies",
            ),
        ] {
            let fault = only(&format!("```{info}\n```\n")).unwrap_err();
            assert_eq!(fault, format!("line 1: {what}"));
        }
    }

    #[test]
    fn an_angle_continues_a_command() {
        let body = "# one\nout\n# two \\\n> more\nout\n> not a command";
        assert_eq!(commands(body.lines(), "# "), ["one", "two \\\nmore"]);
        assert_eq!(typed("two \\\nmore", "# "), ["# two \\", "> more"]);
    }
}
