//! The recorded sessions of the pages: run in the sandbox, compared with what the page shows.
//!
//! A page holds its sessions as it shows them. A line that begins with the prompt (`# ` for root in
//! the lab, `$ ` for the plain user) is a command, and the lines below it are what it printed.
//! [`play`] runs the commands and returns the session as it is on this machine today. A test
//! compares; `book record` writes it into the page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use harness::sandbox::{self, Sandbox, State, Wait};

use crate::page::{ConsoleFence, Session, StartState, console_fences};

/// Sessions of a page that share one shell, in order.
pub struct Group {
    state: State,
    needs: Vec<String>,
    fences: Vec<ConsoleFence>,
}

/// A fence: where its body starts in the page, the lines there, and the lines that a run gives.
pub struct Played {
    pub line: usize,
    pub shown: Vec<String>,
    pub ran: Vec<String>,
}

/// What came of a group.
pub enum Outcome {
    Played(Vec<Played>),
    /// Not run: this need is not there, for this reason.
    Skipped {
        line: usize,
        need: String,
        reason: String,
    },
}

/// The need of a session in a lab with a range of ids, where nobody has denied setgroups(2) yet.
pub(crate) const MANY_IDS: &str = "ids";

/// The needs of a session in a lab that has cgroups of its own, and in one where they can have
/// limits.
pub(crate) const CGROUPS: [&str; 2] = ["cgroups", "cgroup-limits"];

/// Separates what commands print: no command of a session prints it.
const MARK: char = '\u{1e}';

/// The recorded sessions of a page, as groups that share a shell.
///
/// # Errors
///
/// A console fence that is malformed.
pub fn groups(markdown: &str) -> Result<Vec<Group>> {
    let mut groups: Vec<(Option<String>, Group)> = Vec::new();
    for fence in console_fences(markdown)? {
        let Session::Recorded { start, shell, needs } = fence.session.clone() else { continue };
        let state = match start {
            StartState::RootLab => State::RootLab,
            StartState::PlainUser => State::PlainUser,
        };
        match groups.iter_mut().find(|(name, _)| shell.is_some() && *name == shell) {
            Some((_, group)) => {
                group.needs.extend(needs);
                group.fences.push(fence);
            }
            None => groups.push((shell, Group { state, needs, fences: vec![fence] })),
        }
    }
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}

/// Runs a group in a sandbox of its own. `programs` are shown under `/lab`.
///
/// # Errors
///
/// A sandbox that cannot be set up, a session that does not end.
pub fn play(group: &Group, programs: &[(String, PathBuf)]) -> Result<Outcome> {
    let line = group.fences.first().map_or(1, |fence| fence.line);
    for need in &group.needs {
        if let Some(reason) = missing(need) {
            return Ok(Outcome::Skipped { line, need: need.clone(), reason });
        }
    }
    let prompt = if group.state == State::RootLab { "# " } else { "$ " };
    let commands: Vec<Vec<String>> =
        group.fences.iter().map(|fence| commands(&fence.body, prompt)).collect();

    // One shell for all; a mark after each command tells what is whose.
    let mut script = String::from("exec 2>&1\n");
    for command in commands.iter().flatten() {
        _ = write!(script, "{command}\nprintf '{MARK}'\n");
    }
    let mut sandbox = Sandbox::command("/bin/sh").state(group.state).args(["-c", &script]);
    if group.needs.iter().any(|need| need == MANY_IDS) {
        sandbox = sandbox.many_ids();
    }
    if group.needs.iter().any(|need| CGROUPS.contains(&need.as_str())) {
        sandbox = sandbox.cgroups();
    }
    for (name, path) in programs {
        sandbox = sandbox.show(name, path);
    }
    let mut run = sandbox.start().context("could not start the sandbox")?;
    if run.await_end() != Wait::Reached {
        bail!("line {line}: the session does not end; it printed\n{}", run.stdout());
    }

    let printed = with_small_numbers(&run.stdout());
    let mut outputs = printed.split(MARK);
    let played = group.fences.iter().zip(commands).map(|(fence, commands)| {
        let mut ran = Vec::new();
        for command in commands {
            ran.extend(typed(&command, prompt));
            ran.extend(
                outputs.next().unwrap_or_default().lines().map(|line| line.trim_end().to_owned()),
            );
        }
        Played { line: fence.line, shown: fence.body.clone(), ran }
    });
    Ok(Outcome::Played(played.collect()))
}

/// The commands of a session: lines with the prompt, and lines with `> ` that go on with them.
pub(crate) fn commands(body: &[String], prompt: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut open = false;
    for line in body {
        if let Some(command) = line.strip_prefix(prompt) {
            commands.push(command.to_owned());
            open = true;
        } else if let (true, Some(more), Some(last)) =
            (open, line.strip_prefix("> "), commands.last_mut())
        {
            last.push('\n');
            last.push_str(more);
        } else {
            open = false;
        }
    }
    commands
}

/// A command as it stands in the page.
fn typed(command: &str, prompt: &str) -> Vec<String> {
    let mut lines = command.lines();
    let first = lines.next().map(|line| format!("{prompt}{line}"));
    first.into_iter().chain(lines.map(|line| format!("> {line}"))).collect()
}

/// Namespaces have numbers such as `uts:[4026533201]`, different in each run. They become small
/// ones in order of first sight: the same stays the same, and another another.
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

/// Why a session cannot be run here. A need is `TOOL`, which must be installed; `TOOL-VERSION`,
/// whose output the page shows; `linux-VERSION`, the oldest kernel that will do; [`MANY_IDS`]; or
/// one of [`CGROUPS`].
pub(crate) fn missing(need: &str) -> Option<String> {
    if need == MANY_IDS {
        let none = "it takes a map of many ids, and an ordinary user may give one of his own only";
        return (!sandbox::has_many_ids()).then(|| none.to_owned());
    }
    let cgroups = match CGROUPS.iter().position(|known| *known == need) {
        Some(0) => Some(sandbox::has_cgroups()),
        Some(_) => Some(sandbox::has_cgroup_limits()),
        None => None,
    };
    if let Some(there) = cgroups {
        return there.err().map(|error| format!("it takes {need} of the lab's own: {error}"));
    }
    let versioned = need.rsplit_once('-');
    let versioned =
        versioned.filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()));
    let Some((tool, version)) = versioned else {
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let found = path.split(':').any(|folder| Path::new(folder).join(need).exists());
        return (!found).then(|| format!("`{need}` is not installed"));
    };
    if tool == "linux" {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = release.trim();
        let old = numbers(release) < numbers(version);
        return old.then(|| format!("it takes Linux {version}, and this is {release}"));
    }
    let (program, argument) = match tool {
        "util-linux" => ("unshare", "--version"),
        "iproute2" => ("ip", "-V"),
        other => (other, "--version"),
    };
    let said = Command::new(program).arg(argument).output().map(|output| output.stdout);
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
    let words = said.split([' ', '\n', ',', '-', '(', ')']);
    let versions: Vec<&str> =
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect();
    let here = versions.first().unwrap_or(&"none");
    (!versions.contains(&version))
        .then(|| format!("it was recorded with {tool} {version}, and here is {here}"))
}

/// The two numbers that a version begins with.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(['.', '-', '+']);
    parts.map_while(|part| part.parse().ok()).take(2).collect()
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

/// Records the sessions of these pages again, and writes the pages that change. Returns what was done, a line for each page that was changed and each
/// session that was skipped.
///
/// # Errors
///
/// Those of [`groups`] and [`play`], and a page that cannot be read or written.
pub fn record(pages: &[PathBuf], programs: &[(String, PathBuf)]) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for page in pages {
        let name = file_name(page);
        let text = std::fs::read_to_string(page).with_context(|| format!("read({page:?})"))?;
        let mut all = Vec::new();
        for group in groups(&text).with_context(|| name.clone())? {
            match play(&group, programs).with_context(|| name.clone())? {
                Outcome::Played(played) => all.extend(played),
                Outcome::Skipped { line, reason, .. } => {
                    done.push(format!("skipped {name}:{line}: {reason}"))
                }
            }
        }
        let rewritten = rewritten(&text, &all);
        if rewritten != text {
            std::fs::write(page, rewritten).with_context(|| format!("write({page:?})"))?;
            done.push(format!("recorded {name}"));
        }
    }
    Ok(done)
}

/// The pages of the book.
///
/// # Errors
///
/// A folder that cannot be read.
pub fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("book/src");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("read({folder:?})"))?;
    let mut pages = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    Ok(pages)
}

/// The pages with these names, or all of them if there is no name.
///
/// # Errors
///
/// A name that no page has.
pub fn chosen(root: &Path, names: &[&str]) -> Result<Vec<PathBuf>> {
    let mut pages = pages(root)?;
    if let Some(name) =
        names.iter().find(|name| !pages.iter().any(|page| file_name(page) == **name))
    {
        bail!("there is no page `{name}` in book/src");
    }
    pages.retain(|page| names.is_empty() || names.contains(&file_name(page).as_str()));
    Ok(pages)
}

fn file_name(page: &Path) -> String {
    page.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The chapters' finished programs, built, under the names by which sessions call them.
///
/// # Errors
///
/// A solution that does not compile.
pub fn programs(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("solutions")).context("read(\"solutions\")")? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.starts_with("ch")));
    }
    names.sort();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet"]).current_dir(root);
    for name in &names {
        cargo.args(["-p", &format!("{name}-solution")]);
    }
    if !cargo.status().context("could not start cargo")?.success() {
        bail!("the solutions did not compile");
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let binary =
        |name: &String| (name.clone(), target.join("debug").join(format!("{name}-solution")));
    Ok(names.iter().map(binary).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn commands_go_on_with_an_angle() {
        let body = lines("# one\nout\n# two \\\n> more\nout\n> not a command");
        assert_eq!(commands(&body, "# "), ["one", "two \\\nmore"]);
        assert_eq!(typed("two \\\nmore", "# "), ["# two \\", "> more"]);
    }

    #[test]
    fn numbers_are_small_and_tell_same_from_other() {
        let text = "uts:[4026533201] ipc:[4026533999]\nuts:[4026533201] pipe:[77]";
        let small = "uts:[4026532001] ipc:[4026532002]\nuts:[4026532001] pipe:[77]";
        assert_eq!(with_small_numbers(text), small);
    }

    #[test]
    fn a_page_is_rewritten_where_the_session_stands() {
        let page = "a\n```console,root-lab\n# one\nold\nolder\n```\nb\n";
        let played =
            [Played { line: 3, shown: lines("# one\nold\nolder"), ran: lines("# one\nnew") }];
        assert_eq!(rewritten(page, &played), "a\n```console,root-lab\n# one\nnew\n```\nb\n");
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("6.18.44-fc") > numbers("6.2"));
        assert!(numbers("5.10.0-28-amd64") >= numbers("5.10"));
        assert!(missing("linux-99.0").is_some() && missing("linux-2.6").is_none());
        assert_eq!(missing("no-such-tool").as_deref(), Some("`no-such-tool` is not installed"));
    }
}
