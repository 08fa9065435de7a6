//! What the kernel saw: the text that a check asserts, a failing learner reads, and the book shows.
//!
//! It is short and says the same on every machine. Namespaces get letters in order of first sight,
//! so that "the same" and "another" can be told; random names appear by their role.

use std::fmt::{self, Write as _};

use lab::look::{Kind, Namespace, Namespaces};
use trace::Trace;

/// The observed facts of one run.
#[derive(Default)]
pub struct Report {
    /// Each namespace that was seen, held open as long as the report compares.
    sighted: Vec<(Kind, Namespace)>,
    rows: Vec<(String, [char; 8])>,
    lines: Vec<(String, String)>,
    /// Known to the diagnosis only: they may differ between two right programs.
    asides: Vec<(String, String)>,
    roles: Vec<(String, String)>,
    /// What the program did, if that was recorded.
    pub(crate) trace: Option<Trace>,
    /// What could not be looked at, and why.
    pub(crate) skipped: Vec<String>,
}

impl Report {
    /// `text` is random in this run; wherever it turns up, `role` is shown.
    pub fn role(&mut self, text: &str, role: &str) {
        self.roles.push((text.to_owned(), role.to_owned()));
    }

    /// A row of the table: who is in which namespaces.
    pub fn row(&mut self, who: &str, namespaces: Namespaces) {
        let letters = namespaces.into_each().map(|(kind, namespace)| match namespace {
            Some(namespace) => self.letter(kind, namespace),
            // A kernel without this kind has one of it, for everybody.
            None => 'A',
        });
        self.rows.push((who.to_owned(), letters));
    }

    fn letter(&mut self, kind: Kind, namespace: Namespace) -> char {
        let of_kind = self.sighted.iter().filter(|(seen, _)| *seen == kind);
        let position = match of_kind.clone().position(|(_, seen)| *seen == namespace) {
            Some(position) => position,
            None => {
                let position = of_kind.count();
                self.sighted.push((kind, namespace));
                position
            }
        };
        char::from(b'A' + position.min(25) as u8)
    }

    /// A line of the report.
    pub fn line(&mut self, key: &str, value: impl fmt::Display) {
        let value = self.by_role(&printable(&value.to_string(), false));
        self.lines.push((key.to_owned(), value));
    }

    /// A fact that this machine cannot show, and why. The verdict says so; it is no failure.
    pub fn skip(&mut self, fact: &str, why: &str) {
        self.skipped.push(format!("{fact}: {why}"));
    }

    /// A fact for the diagnosis alone. It may have several lines.
    pub fn aside(&mut self, key: &str, value: impl fmt::Display) {
        let value = self.by_role(&printable(&value.to_string(), true));
        self.asides.push((key.to_owned(), value));
    }

    /// A line about the end of another run, and its words for the diagnosis.
    pub fn ending(&mut self, key: &str, other: &Report) {
        let fact = |key: &str| other.fact(key).unwrap_or_default();
        self.line(
            key,
            format_args!(
                "exit status {}, left behind: {}",
                fact("exit status"),
                fact("left behind")
            ),
        );
        for words in ["stdout", "stderr"] {
            self.aside(words, fact(words));
        }
    }

    /// What is random in this run becomes its role. What a program calls by a role's name does not:
    /// a host name `NAME` is `the word NAME`.
    pub(crate) fn by_role(&self, value: &str) -> String {
        let marked =
            self.roles.iter().fold(value.to_owned(), |value, (_, role)| mark(&value, role));
        self.roles.iter().fold(marked, |value, (text, role)| value.replace(text, role))
    }

    /// The value of a fact: a line's or an aside's key, or `WHO KIND` for a cell of the table.
    pub fn fact(&self, key: &str) -> Option<String> {
        let cells = self.rows.iter().flat_map(|(who, letters)| {
            Kind::ALL.map(|kind| (format!("{who} {kind}"), letters[kind as usize].to_string()))
        });
        let lines = self.lines.iter().chain(&self.asides).cloned();
        cells.chain(lines).find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The table, and the lines whose key starts with one of `keys`.
    pub fn table(self, keys: &[&str]) -> Part {
        // As wide when COMMAND is missing: a comparison shows what differs, not how it is set.
        let width = self.rows.iter().map(|(who, _)| who.len()).max().unwrap_or(0).max(7);
        let mut text = " ".repeat(width);
        for kind in Kind::ALL {
            _ = write!(text, "  {kind}");
        }
        for (who, letters) in &self.rows {
            _ = write!(text, "\n{who:width$}");
            for kind in Kind::ALL {
                _ = write!(text, "  {:<1$}", letters[kind as usize], kind.name().len());
            }
            text.truncate(text.trim_end().len());
        }
        for line in self.selected(keys) {
            _ = write!(text, "\n{line}");
        }
        Part { report: self, text }
    }

    /// The lines whose key starts with one of `keys`.
    pub fn lines(self, keys: &[&str]) -> Part {
        let text = self.selected(keys).collect::<Vec<_>>().join("\n");
        Part { report: self, text }
    }

    fn selected(&self, keys: &[&str]) -> impl Iterator<Item = String> {
        let wanted = |key: &str| keys.iter().any(|prefix| key.starts_with(prefix));
        let lines = self.lines.iter().filter(move |(key, _)| wanted(key));
        lines.map(|(key, value)| format!("{key}: {value}"))
    }
}

/// As much of a report as one step asks for. The diagnosis still sees all of it.
pub struct Part {
    pub(crate) report: Report,
    pub(crate) text: String,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Marks a role's name wherever it stands by itself.
fn mark(text: &str, role: &str) -> String {
    let is_part = |neighbor: Option<char>| {
        neighbor.is_some_and(|neighbor| neighbor.is_alphanumeric() || neighbor == '_')
    };
    let (mut marked, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(role) {
        let is_word = !is_part(before.chars().next_back()) && !is_part(after.chars().next());
        marked += before;
        marked += if is_word { "the word " } else { "" };
        marked += role;
        rest = after;
    }
    marked + rest
}

/// Whether a character does something to the screen, or to the order of the letters around it,
/// instead of standing for itself: what a program, or who names a file, must not do to us.
pub fn acts(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || character.is_control()
}

/// Names and paths are a program's own, and may hold what moves a terminal's cursor, turns the
/// direction of writing, or begins a line that looks like one of ours.
fn printable(text: &str, lines: bool) -> String {
    let shown = |character| acts(character) && !(lines && matches!(character, '\n' | '\t'));
    let mut printable = String::new();
    for character in text.chars() {
        match shown(character) {
            true => printable.extend(character.escape_default()),
            false => printable.push(character),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::look::Process;
    use nix::unistd::Pid;

    #[test]
    fn the_same_namespaces_have_the_same_letters() {
        let us = || Namespaces::of(&Process::open(Pid::this()).unwrap()).unwrap();
        let mut report = Report::default();
        report.row("here", us());
        report.row("me too", us());
        report.role("otter-77", "NAME");
        report.line("host name", "otter-77");
        report.line("exit status", 0);
        let part = report.table(&["host"]);
        insta::assert_snapshot!(part, @r"
                 user  mnt  pid  net  uts  ipc  cgroup  time
        here     A     A    A    A    A    A    A       A
        me too   A     A    A    A    A    A    A       A
        host name: NAME
        ");
        let mut report = part.report;
        report.line("forged", "NAME, otter-77, RENAMED");
        assert_eq!(report.fact("forged").as_deref(), Some("the word NAME, NAME, RENAMED"));
        assert_eq!(report.fact("me too uts").as_deref(), Some("A"));
        assert_eq!(report.fact("exit status").as_deref(), Some("0"));
        assert_eq!(report.fact("exit"), None);
    }

    #[test]
    fn no_name_paints_on_the_terminal() {
        let mut report = Report::default();
        report.line("mounted", "/tmp/\u{1b}[2J\n  ok   solved\u{7}\u{9b}1A\u{202e}\u{61c}größer");
        report.aside("stderr", "one\n\ttwo\u{1b}[2J");
        let said = report.fact("mounted").unwrap();
        assert_eq!(said, r"/tmp/\u{1b}[2J\n  ok   solved\u{7}\u{9b}1A\u{202e}\u{61c}größer");
        assert_eq!(report.fact("stderr").unwrap(), "one\n\ttwo\\u{1b}[2J");
    }
}
