//! What the kernel saw: what a check asserts, a failing learner reads, and the book shows.
//!
//! It is short and says the same on every machine. Namespaces get letters in the order in which they
//! are first seen, so that "the same" and "another" can be told; random names appear by their role.

use std::fmt;

use lab::look::{Kind, Namespace, Namespaces};
use nix::errno::Errno;
use trace::Trace;

/// A process, and the letters of its namespaces in the order of [`Kind::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    pub letters: [char; 8],
}

impl Row {
    /// Each letter, and what it is called: `COMMAND uts`.
    fn cells(&self) -> impl Iterator<Item = (String, char)> {
        let letters = Kind::ALL.into_iter().zip(self.letters);
        letters.map(|(kind, letter)| (format!("{} {}", self.name, kind.name()), letter))
    }
}

/// A statement: what it is about, and what was seen. A key has no `: ` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub key: String,
    pub value: String,
}

impl Line {
    fn new(key: &str, value: String) -> Line {
        Line { key: key.to_owned(), value }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(format!("{}: {}", self.key, self.value).trim_end())
    }
}

/// Another run of the program, by the key of its line in the report.
struct Ending {
    key: String,
    printed: [Line; 2],
    trace: Option<Trace>,
}

/// As much of a report as one step is about: what it saw, or what it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// `None` where the step does not ask for the table.
    pub table: Option<Vec<Row>>,
    pub lines: Vec<Line>,
}

impl Excerpt {
    /// Reads the text that a check asserts, which is what [`fmt::Display`] writes. Indentation and
    /// blank lines do not count.
    pub fn read(text: &str) -> Excerpt {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
        let is_header = |line: &&str| line.split_whitespace().eq(Kind::ALL.map(Kind::name));
        let table = lines.next_if(is_header).map(|_| {
            let rows = std::iter::from_fn(|| lines.next_if(|line| row(line).is_some()));
            rows.filter_map(row).collect()
        });
        let lines = lines.map(|line| match line.split_once(": ") {
            Some((key, value)) => Line::new(key, value.to_owned()),
            None => Line::new(line.strip_suffix(':').unwrap_or(line), String::new()),
        });
        Excerpt { table, lines: lines.collect() }
    }

    /// The value of a line, or of `NAME KIND`, a cell of the table.
    pub fn value(&self, key: &str) -> Option<String> {
        let cells = self.table.iter().flatten().flat_map(Row::cells);
        let cell = cells.filter(|(name, _)| name == key).map(|(_, letter)| letter.to_string());
        let lines = self.lines.iter().filter(|line| line.key == key);
        cell.chain(lines.map(|line| line.value.clone())).next()
    }

    /// Replaces the value of a line or of a cell that is there.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        for line in self.lines.iter_mut().filter(|line| line.key == key) {
            value.clone_into(&mut line.value);
        }
        let Some((name, kind)) = key.rsplit_once(' ') else { return };
        let kind = Kind::ALL.iter().position(|known| known.name() == kind);
        let (Some(kind), Ok(letter)) = (kind, value.parse()) else { return };
        for row in self.table.iter_mut().flatten().filter(|row| row.name == name) {
            row.letters[kind] = letter;
        }
    }

    /// How wide the names of the table's rows are. Not less than `COMMAND`, which may be missing.
    pub fn width(&self) -> usize {
        let names = self.table.iter().flatten().map(|row| row.name.chars().count());
        names.max().unwrap_or(0).max("COMMAND".len())
    }

    /// The lines of the table, without the white space at their ends: the header, then the rows.
    pub fn table_lines(&self, width: usize) -> Vec<String> {
        let Some(rows) = &self.table else { return Vec::new() };
        let header = Kind::ALL.map(|kind| format!("  {kind}")).concat();
        let rows = rows.iter().map(|Row { name, letters }| {
            let cells = Kind::ALL.iter().zip(letters);
            let cells = cells.map(|(kind, letter)| format!("  {letter:<0$}", kind.name().len()));
            format!("{name:width$}{}", cells.collect::<String>().trim_end())
        });
        std::iter::once(format!("{:width$}{header}", "")).chain(rows).collect()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut lines = self.table_lines(self.width());
        lines.extend(self.lines.iter().map(Line::to_string));
        f.write_str(&lines.join("\n"))
    }
}

/// A row of a table: a name, which may have several words, and a letter for each kind.
fn row(line: &str) -> Option<Row> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (name, letters) = words.split_at_checked(words.len().checked_sub(Kind::ALL.len())?)?;
    let letters = letters.iter().map(|word| word.parse().ok()).collect::<Option<Vec<char>>>()?;
    let row = Row { name: name.join(" "), letters: letters.try_into().ok()? };
    (!name.is_empty() && !row.name.contains(':')).then_some(row)
}

/// The observed facts of one run.
#[derive(Default)]
pub struct Report {
    /// Each namespace that was seen, held open as long as the report compares.
    sighted: Vec<(Kind, Namespace)>,
    rows: Vec<Row>,
    lines: Vec<Line>,
    /// No right program has such a line, so every step sees them.
    alarms: Vec<Line>,
    /// Known to the diagnosis only: they may differ between two right programs.
    asides: Vec<Line>,
    /// Other runs of the program.
    endings: Vec<Ending>,
    roles: Vec<(String, String)>,
    /// What the program did, if that was recorded.
    pub(crate) trace: Option<Trace>,
    /// What could not be looked at, and why.
    pub(crate) skipped: Vec<Line>,
}

impl Report {
    /// `text` is random in this run; wherever it turns up, `role` is shown.
    pub fn role(&mut self, text: &str, role: &str) {
        self.roles.push((text.to_owned(), role.to_owned()));
    }

    /// A row of the table: in which namespaces a process is.
    pub fn row(&mut self, name: &str, namespaces: Namespaces) {
        let letters = namespaces.into_each().map(|(kind, namespace)| match namespace {
            Some(namespace) => self.letter(kind, namespace),
            // A kernel without this kind has one of it, which all processes share.
            None => 'A',
        });
        self.rows.push(Row { name: name.to_owned(), letters });
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
        self.lines.push(Line::new(key, value.trim_end().to_owned()));
    }

    /// Replaces the value of the last line with this key.
    pub(crate) fn amend(&mut self, key: &str, value: impl fmt::Display) {
        let value = self.by_role(&printable(&value.to_string(), false));
        if let Some(line) = self.lines.iter_mut().rfind(|line| line.key == key) {
            line.value = value;
        }
    }

    /// A line that no right program has in its report. Each step sees it.
    pub(crate) fn alarm(&mut self, key: &str, value: impl fmt::Display) {
        let value = self.by_role(&printable(&value.to_string(), false));
        self.alarms.push(Line::new(key, value));
    }

    /// A fact that this machine cannot show, and why. The verdict says so; it is no failure.
    pub fn skip(&mut self, fact: &str, why: &str) {
        self.skipped.push(Line::new(fact, why.to_owned()));
    }

    /// Whether this machine could not show something.
    pub fn has_skipped(&self) -> bool {
        !self.skipped.is_empty()
    }

    /// A fact for the diagnosis alone. It may have several lines.
    pub fn aside(&mut self, key: &str, value: impl fmt::Display) {
        let value = printable(&value.to_string(), true);
        let value = match key {
            "stdout" | "stderr" => self.quoted(&value),
            _ => self.by_role(&value),
        };
        self.asides.push(Line::new(key, value));
    }

    /// A line about the end of another run.
    pub fn ending(&mut self, key: &str, other: &Report) {
        let fact = |key: &str| other.fact(key).unwrap_or_default();
        let mut ending = format!("exit status {}", fact("exit status"));
        // A program that is still running has left nothing behind yet.
        if let Some(left) = other.fact("left behind") {
            ending += &format!(", left behind: {left}");
        }
        self.of_run(key, ending, other);
    }

    /// A line about another run of which the same is asked as of this one: the lines whose key starts
    /// with one of `keys`, where they differ.
    pub fn same(&mut self, key: &str, other: &Report, keys: &[&str]) {
        let of = |report: &Report| {
            let is_asked = |line: &&Line| keys.iter().any(|prefix| line.key.starts_with(prefix));
            report.lines.iter().filter(is_asked).cloned().collect::<Vec<_>>()
        };
        let (here, there) = (of(self), of(other));
        let missing = here.iter().filter(|line| other.fact(&line.key).is_none());
        let missing = missing.map(|line| format!("no {}", line.key));
        let others = there.iter().filter(|line| !here.contains(line)).map(Line::to_string);
        let differences: Vec<String> = others.chain(missing).collect();
        let same =
            if differences.is_empty() { "the same".to_owned() } else { differences.join(", ") };
        // The words of the other run, in which the roles have been found already.
        self.lines.push(Line::new(key, same));
        self.enter(key, other);
    }

    /// A line about another run. What that run printed belongs to the line: it counts where the line is
    /// not as it should be.
    pub fn of_run(&mut self, key: &str, value: impl fmt::Display, other: &Report) {
        self.line(key, value);
        self.enter(key, other);
    }

    fn enter(&mut self, key: &str, other: &Report) {
        self.skipped.extend_from_slice(&other.skipped);
        self.alarms.extend_from_slice(&other.alarms);
        let fact = |key: &str| other.fact(key).unwrap_or_default();
        let printed = ["stdout", "stderr"].map(|key| Line::new(key, self.quoted(&fact(key))));
        self.endings.push(Ending { key: key.to_owned(), printed, trace: other.trace.clone() });
    }

    /// Whether a program has printed the name of this errno, or its text.
    pub(crate) fn says(&self, errno: Errno) -> bool {
        let others = self.endings.iter().flat_map(|ending| &ending.printed);
        let others = others.filter(|line| line.key == "stderr").map(|line| line.value.clone());
        self.facts("stderr").chain(others).any(|text| mentions(&text, errno))
    }

    /// Adds what the other runs have printed whose lines are wanted otherwise. The trace is that of the
    /// first run that has failed, which may be one of them.
    pub(crate) fn add_failed_endings(&mut self, wanted: &Excerpt) {
        let is_wanted = |line: &Line| wanted.lines.iter().find(|other| other.key == line.key);
        let differs = |line: &Line| is_wanted(line).is_some_and(|wanted| wanted != line);
        let endings = std::mem::take(&mut self.endings);
        let is_of_an_ending =
            |line: &Line| endings.iter().any(|ending| line.key.starts_with(&ending.key));
        // What could not be seen, because COMMAND was never started, has no line.
        let is_missing = |line: &Line| self.lines.iter().all(|other| other.key != line.key);
        let own_failed = self.lines.iter().any(|line| differs(line) && !is_of_an_ending(line))
            || wanted.lines.iter().any(|line| is_missing(line) && !is_of_an_ending(line));
        let mut trace = None;
        for Ending { key, printed, trace: recorded } in endings {
            let line = self.lines.iter().find(|line| line.key == key);
            if line.is_some_and(differs) {
                self.asides.extend(printed);
                trace = trace.or(recorded);
            }
        }
        if trace.is_some() && !own_failed {
            self.trace = trace;
        }
    }

    /// What is random in this run becomes its role. What a program calls by a role's name does not:
    /// a host name `NAME` is `the word NAME`.
    pub(crate) fn by_role(&self, value: &str) -> String {
        let marked =
            self.roles.iter().fold(value.to_owned(), |value, (_, role)| mark(&value, role));
        self.quoted(&marked)
    }

    /// Lets conditions on the recorded calls name by its role what is random in this run.
    pub(crate) fn name_trace_by_role(&mut self) {
        let Some(mut trace) = self.trace.take() else { return };
        trace.name_by_role(|text| self.by_role(text));
        self.trace = Some(trace);
    }

    /// What a program has printed. The words of a message are its own, also where one is a role's name.
    fn quoted(&self, value: &str) -> String {
        self.roles.iter().fold(value.to_owned(), |value, (text, role)| value.replace(text, role))
    }

    /// The values of a fact: of a line's or an aside's key, or of `NAME KIND`, a cell of the table.
    /// There are several of `stderr` where several runs have failed.
    pub fn facts(&self, key: &str) -> impl Iterator<Item = String> {
        let cells = self.rows.iter().flat_map(Row::cells);
        let cells =
            cells.filter(move |(name, _)| name == key).map(|(_, letter)| letter.to_string());
        let lines = self.lines.iter().chain(&self.alarms).chain(&self.asides);
        cells.chain(lines.filter(move |line| line.key == key).map(|line| line.value.clone()))
    }

    /// The first value of a fact.
    pub fn fact(&self, key: &str) -> Option<String> {
        self.facts(key).next()
    }

    /// The table, and the lines whose key starts with one of `keys`.
    pub fn table(self, keys: &[&str]) -> Selection {
        let table = Some(self.rows.clone());
        self.select(table, keys)
    }

    /// The lines whose key starts with one of `keys`.
    pub fn lines(self, keys: &[&str]) -> Selection {
        self.select(None, keys)
    }

    fn select(mut self, table: Option<Vec<Row>>, keys: &[&str]) -> Selection {
        let is_wanted = |line: &&Line| keys.iter().any(|prefix| line.key.starts_with(prefix));
        let lines = self.lines.iter().filter(is_wanted).chain(&self.alarms).cloned().collect();
        // A line that is not asked for is not missed either.
        let is_other =
            |key: &str| self.lines.iter().any(|line| line.key == key && !is_wanted(&line));
        self.skipped.retain(|skipped| !is_other(&skipped.key));
        Selection { report: self, saw: Excerpt { table, lines } }
    }
}

/// What one step looks at of a report. The diagnosis still sees all of it.
pub struct Selection {
    pub(crate) report: Report,
    pub saw: Excerpt,
}

/// Whether a text has the name of this errno as a word, or its description: nix's, the C library's, or the
/// number that the standard library adds to that.
pub(crate) fn mentions(text: &str, errno: Errno) -> bool {
    let name = format!("{errno:?}");
    let error = std::io::Error::from(errno).to_string();
    let (description, number) = error.split_once(" (").unwrap_or((&error, &error));
    text.contains(errno.desc())
        || text.contains(description)
        || text.contains(number)
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
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

/// Whether a character changes the screen or the direction of writing instead of standing for
/// itself. Names and output of a program, and names of files, may contain such characters.
pub fn is_unprintable(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || character.is_control()
}

/// The text with escapes for what could move a terminal's cursor, turn the direction of writing, or
/// begin a line that looks like one of the report's. With `lines`, new lines and tabs are kept.
fn printable(text: &str, lines: bool) -> String {
    let is_kept = |character| lines && matches!(character, '\n' | '\t');
    let mut printable = String::new();
    for character in text.chars() {
        match is_unprintable(character) && !is_kept(character) {
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
        let selection = report.table(&["host"]);
        insta::assert_snapshot!(selection.saw, @r"
                 user  mnt  pid  net  uts  ipc  cgroup  time
        here     A     A    A    A    A    A    A       A
        me too   A     A    A    A    A    A    A       A
        host name: NAME
        ");
        let mut report = selection.report;
        report.line("forged", "NAME, otter-77, RENAMED");
        assert_eq!(report.fact("forged").as_deref(), Some("the word NAME, NAME, RENAMED"));
        report.aside("stderr", "usage: NAME, and not otter-77");
        assert_eq!(report.fact("stderr").as_deref(), Some("usage: NAME, and not NAME"));
        assert_eq!(report.fact("me too uts").as_deref(), Some("A"));
        assert_eq!(report.fact("exit status").as_deref(), Some("0"));
        assert_eq!(report.fact("exit"), None);
    }

    #[test]
    fn what_differs_in_another_run_has_its_roles_already() {
        let run = |name: &str, status: u8| {
            let mut report = Report::default();
            report.role(name, "NAME");
            report.line("host name", name);
            report.line("exit status", status);
            report
        };
        let mut report = run("otter-77", 0);
        report.same("for root", &run("mole-31", 1), &["host name", "exit status"]);
        assert_eq!(report.fact("for root").as_deref(), Some("exit status: 1"));
        let mut other = run("mole-31", 0);
        other.line("domain name", "mole-31");
        report.same("for others", &other, &["host name", "domain name"]);
        assert_eq!(report.fact("for others").as_deref(), Some("domain name: NAME"));
    }

    #[test]
    fn an_errno_is_found_however_it_is_printed() {
        for text in ["ERANGE", "Math result not representable", "x (os error 34)"] {
            assert!(mentions(text, Errno::ERANGE), "{text}");
        }
        let by_the_c_library = std::io::Error::from(Errno::ERANGE).to_string();
        assert!(mentions(by_the_c_library.split(" (").next().unwrap(), Errno::ERANGE));
        for text in ["", "ERANGES", "x (os error 3)", "34"] {
            assert!(!mentions(text, Errno::ERANGE), "{text}");
        }
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
    #[test]
    fn what_a_check_asserts_is_read_as_data() {
        let text = "
             user  mnt  pid  net  uts  ipc  cgroup  time
        lab  A     A    A    A    A    A    A       A
        me too   A     A    A    A    B    A    A       C

        COMMAND: never started: it has ended
        nothing:
        ";
        let read = Excerpt::read(text);
        let row = |name: &str, letters| Row { name: name.into(), letters };
        let rows = [row("lab", ['A'; 8]), row("me too", ['A', 'A', 'A', 'A', 'B', 'A', 'A', 'C'])];
        assert_eq!(read.table.as_deref(), Some(&rows[..]));
        let line = |key: &str, value: &str| Line::new(key, value.into());
        let lines = [line("COMMAND", "never started: it has ended"), line("nothing", "")];
        assert_eq!(read.lines, lines);
        assert_eq!(Excerpt::read(&read.to_string()), read);
        assert_eq!(Excerpt::read("COMMAND: A A A A A A A A").table, None);
        assert_eq!(Excerpt::read(""), Excerpt::default());
    }

    #[test]
    fn of_several_runs_the_output_of_failed_ones_is_shown() {
        let run = |status: i32, stderr: &str| {
            let mut report = Report::default();
            report.line("exit status", status);
            report.line("left behind", "nothing");
            report.aside("stderr", stderr);
            report
        };
        let mut report = run(0, "");
        report.ending("a missing one", &run(127, "as it should be"));
        report.ending("another", &run(101, "thread 'main' panicked"));
        let wanted = "a missing one: exit status 127, left behind: nothing\n\
                      another: exit status 0, left behind: nothing";
        report.add_failed_endings(&Excerpt::read(wanted));
        assert_eq!(report.facts("stderr").collect::<Vec<_>>(), ["", "thread 'main' panicked"]);
    }
}
