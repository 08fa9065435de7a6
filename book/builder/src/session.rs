//! The recorded sessions of the pages: run in the sandbox, compared with what the page shows.
//!
//! [`play`] runs the commands of the sessions that share a shell, and returns the sessions as they
//! are on this machine today. A test compares; `book record` writes them into the page; `cargo xtask live
//! replay` runs the same script in the machine that a page starts.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use lab::sandbox::{Sandbox, State, Wait};

use crate::console::{ConsoleFence, Session, commands, console_fences, prompt, typed};
use crate::needs::{Need, Programs, Recording, start, unmet};

/// Sessions of a page that share one shell, in order.
#[derive(Clone)]
pub struct Group {
    start: State,
    needs: Vec<Need>,
    fences: Vec<ConsoleFence>,
}

/// A fence: where its body starts in the page, the lines there, and the lines that a run gives.
pub struct Played {
    pub line: usize,
    pub shown: Vec<String>,
    pub ran: Vec<String>,
}

/// Separates what commands print: no command of a session prints it.
const SEPARATOR: char = '\u{1e}';

/// The recorded sessions of a page, as groups that share a shell.
///
/// # Errors
///
/// A console fence that is malformed.
pub fn groups(markdown: &str) -> Result<Vec<Group>> {
    let mut groups: Vec<(Option<String>, Group)> = Vec::new();
    for fence in console_fences(markdown)? {
        let Session::Recorded { start, shell, needs } = fence.session.clone() else { continue };
        match groups.iter_mut().find(|(name, _)| shell.is_some() && *name == shell) {
            Some((_, group)) => {
                group.needs.extend(needs);
                group.fences.push(fence);
            }
            None => groups.push((shell, Group { start, needs, fences: vec![fence] })),
        }
    }
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}

impl Group {
    /// The line of the page on which the first session starts.
    pub fn line(&self) -> usize {
        self.fences[0].line
    }

    /// What its lab starts with.
    pub fn start(&self) -> State {
        self.start
    }

    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// The same sessions without what they ask of the kernel, if this one is too old for them.
    pub fn on_this_old_kernel(&self) -> Option<Group> {
        let is_unmet = |need: &Need| matches!(need, Need::Linux(_)) && need.lacking().is_some();
        self.needs.iter().any(is_unmet).then(|| {
            let mut group = self.clone();
            group.needs.retain(|need| !is_unmet(need));
            group
        })
    }

    /// The commands of each session.
    fn commands(&self) -> Vec<Vec<String>> {
        let prompt = prompt(self.start);
        let of_fence =
            |fence: &ConsoleFence| commands(fence.body.iter().map(String::as_str), prompt);
        self.fences.iter().map(of_fence).collect()
    }

    /// All of them for one shell. What it prints is cut at the separator after each command.
    pub fn script(&self) -> String {
        let mut script = String::from("exec 2>&1\n");
        for command in self.commands().iter().flatten() {
            _ = write!(script, "{command}\nprintf '{SEPARATOR}'\n");
        }
        script
    }

    /// The sessions as they are when the script prints this.
    pub fn played(&self, printed: &str) -> Vec<Played> {
        let prompt = prompt(self.start);
        let printed = with_small_numbers(printed);
        let mut outputs = printed.split(SEPARATOR);
        let played = self.fences.iter().zip(self.commands()).map(|(fence, commands)| {
            let mut ran = Vec::new();
            for command in commands {
                ran.extend(typed(&command, prompt));
                let output = outputs.next().unwrap_or_default();
                ran.extend(output.lines().map(|line| line.trim_end().to_owned()));
            }
            Played { line: fence.line, shown: fence.body.clone(), ran }
        });
        played.collect()
    }
}

/// Runs a group in a sandbox of its own. `programs` are shown under `/lab`.
///
/// # Errors
///
/// A sandbox that cannot be set up, a session that does not end.
pub fn play(group: &Group, programs: &Programs) -> Result<Recording<Vec<Played>>> {
    if let Some(skipped) = unmet(&group.needs) {
        return Ok(skipped);
    }
    let sandbox = Sandbox::command("/bin/sh").args(["-c", &group.script()]);
    let mut run = start(sandbox, group.start, &group.needs, programs)?;
    if run.await_end() != Wait::Reached {
        bail!("line {}: the session does not end; it printed\n{}", group.line(), run.stdout());
    }

    Ok(Recording::Made(group.played(&run.stdout())))
}

/// Replaces the inode numbers of namespaces, such as `uts:[4026533201]`, which differ from run to
/// run, by small ones in order of first appearance. Equal numbers stay equal, others different.
fn with_small_numbers(text: &str) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(":[") {
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, tail) = after.split_at(end);
        out.push_str(before);
        out.push_str(":[");
        if number.len() >= 10 && tail.starts_with(']') {
            let position = seen.iter().position(|known| *known == number).unwrap_or_else(|| {
                seen.push(number);
                seen.len() - 1
            });
            _ = write!(out, "{}", 4_026_532_001_u64 + position as u64);
        } else {
            out.push_str(number);
        }
        rest = tail;
    }
    out + rest
}

/// The page with the sessions as they ran.
pub fn rewritten(markdown: &str, played: &[Played]) -> String {
    let mut lines: Vec<&str> = markdown.lines().collect();
    let mut from_the_end: Vec<&Played> = played.iter().collect();
    from_the_end.sort_by_key(|fence| std::cmp::Reverse(fence.line));
    for fence in from_the_end {
        let start = fence.line - 1;
        lines.splice(start..start + fence.shown.len(), fence.ran.iter().map(String::as_str));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_equal_where_the_inode_numbers_were() {
        let text = "uts:[4026533201] ipc:[4026533999]\nuts:[4026533201] pipe:[77]";
        let small = "uts:[4026532001] ipc:[4026532002]\nuts:[4026532001] pipe:[77]";
        assert_eq!(with_small_numbers(text), small);
    }

    #[test]
    fn a_page_is_rewritten_where_the_session_stands() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let page = "a\n```console,root-lab\n# one\nold\nolder\n```\nb\n";
        let played =
            [Played { line: 3, shown: lines("# one\nold\nolder"), ran: lines("# one\nnew") }];
        assert_eq!(rewritten(page, &played), "a\n```console,root-lab\n# one\nnew\n```\nb\n");
    }
}
