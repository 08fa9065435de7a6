//! What was seen beside what was wanted.

use std::iter;

use harness::look::Kind;
use harness::report::{Excerpt, Row};

use crate::reader::diff::{self, Line};
use crate::shared::screen::{Screen, plain};

/// A line on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    text: String,
    /// A part of a table, which keeps its columns. Other lines are wrapped.
    tabular: bool,
}

impl Shown {
    /// There may be names in it that the program has given.
    fn new(text: &str, tabular: bool) -> Shown {
        Shown { text: plain(text), tabular }
    }
}

/// Both excerpts. Where they differ, a line says to which of them it belongs, and below it the place
/// of the difference is marked.
pub(crate) fn compare(saw: &Excerpt, wanted: &Excerpt, screen: Screen) -> String {
    // A longer name moves the columns of its table, which is no difference.
    let width = saw.width().max(wanted.width());
    let upright = |excerpt: &Excerpt| excerpt.table_lines(width);
    let tables = [saw, wanted].map(upright);
    let room = screen.width.saturating_sub(WIDE.0.len());
    if tables.iter().flatten().all(|line| line.chars().count() <= room) {
        let [saw_table, wanted_table] = tables;
        return rows(&shown(saw_table, saw), &shown(wanted_table, wanted), screen, WIDE);
    }
    let names = |excerpt: &Excerpt| -> Vec<String> {
        excerpt.table.iter().flatten().map(|row| row.name.clone()).collect()
    };
    // A process that was never seen has no row; the rows of the others say nothing then.
    let saw_table = if names(saw) == names(wanted) { transposed(saw) } else { Vec::new() };
    rows(&shown(saw_table, saw), &shown(transposed(wanted), wanted), screen, NARROW)
}

fn shown(table: Vec<String>, excerpt: &Excerpt) -> Vec<Shown> {
    let table = table.iter().map(|line| Shown::new(line, true));
    table.chain(excerpt.lines.iter().map(|line| Shown::new(&line.to_string(), false))).collect()
}

/// The table on its side, a line for each kind: for narrow terminals.
fn transposed(excerpt: &Excerpt) -> Vec<String> {
    let Some(rows) = &excerpt.table else { return Vec::new() };
    let line = |head: &str, cell: &dyn Fn(&Row) -> String| {
        let cells: String = rows.iter().map(cell).collect();
        format!("{head:6}{}", cells.trim_end())
    };
    let header = line("", &|row| format!("  {}", row.name));
    let kinds = Kind::ALL.map(|kind| {
        line(kind.name(), &|row| {
            format!("  {:1$}", row.letters[kind as usize], row.name.chars().count())
        })
    });
    iter::once(header).chain(kinds).collect()
}

fn rows(saw: &[Shown], wanted: &[Shown], screen: Screen, margins: Margins) -> String {
    let (both, left, right) = margins;
    let row = |margin: &str, line: &Shown| match line.tabular {
        true => format!("{margin}{}\n", line.text),
        false => screen.hanging(margin, &line.text),
    };
    let nothing = Shown::new("nothing of it", false);
    let bad = |line| screen.bad(row(left, line).trim_end()) + "\n";
    let good = |line| screen.good(row(right, line).trim_end()) + "\n";
    let mut out = String::new();
    for pair in paired(diff::compare(saw, wanted)) {
        out += &match pair {
            Pair::Both(line) => row(both, line),
            Pair::Saw(line) => bad(line),
            Pair::Wanted(line) => good(line),
            Pair::Nothing => bad(&nothing),
            Pair::Differ(saw, wanted) => {
                let place = place(saw, wanted).map(|place| format!("{both}{place}\n"));
                bad(saw) + &good(wanted) + &place.unwrap_or_default()
            }
        };
    }
    out
}

type Margins = (&'static str, &'static str, &'static str);
const WIDE: Margins = ("         | ", "  saw    | ", "  wanted | ");
const NARROW: Margins = ("       ", "saw    ", "wanted ");

/// Lines of a comparison. Where as many were seen as wanted, they belong together in pairs.
enum Pair<'a> {
    Both(&'a Shown),
    Saw(&'a Shown),
    Wanted(&'a Shown),
    /// In the place of what is wanted next.
    Nothing,
    Differ(&'a Shown, &'a Shown),
}

fn paired<'a>(lines: Vec<Line<&'a Shown>>) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    let (mut saw, mut wanted) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Left(line) => saw.push(line),
            Line::Right(line) => wanted.push(line),
            Line::Both(line) => {
                settle(&mut pairs, &mut saw, &mut wanted);
                pairs.push(Pair::Both(line));
            }
        }
    }
    settle(&mut pairs, &mut saw, &mut wanted);
    pairs
}

fn settle<'a>(pairs: &mut Vec<Pair<'a>>, saw: &mut Vec<&'a Shown>, wanted: &mut Vec<&'a Shown>) {
    let (saw, wanted) = (std::mem::take(saw), std::mem::take(wanted));
    if saw.len() == wanted.len() {
        pairs.extend(saw.into_iter().zip(wanted).map(|(saw, wanted)| Pair::Differ(saw, wanted)));
    } else {
        pairs.extend(saw.is_empty().then_some(Pair::Nothing));
        pairs.extend(saw.into_iter().map(Pair::Saw));
        pairs.extend(wanted.into_iter().map(Pair::Wanted));
    }
}

/// Carets below the letters of a table's row that differ. Prose is compared by reading it.
fn place(saw: &Shown, wanted: &Shown) -> Option<String> {
    let (left, right) = (&saw.text, &wanted.text);
    if !saw.tabular || !wanted.tabular || left.chars().count() != right.chars().count() {
        return None;
    }
    let carets = left.chars().zip(right.chars()).map(|(a, b)| if a == b { ' ' } else { '^' });
    Some(carets.collect::<String>().trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Screen = Screen { terminal: false, colour: false, width: 80 };
    const TABLE: &str = "user  mnt  pid  net  uts  ipc  cgroup  time\n\
                         lab      A     A    A    A    A    A    A       A\n\
                         COMMAND  A     A    A    A    A    A    A       A\nhost: x";
    const LEFT: &str = "COMMAND  A     A    A    A    B    A    A       A";

    fn compared(saw: &str, wanted: &str, screen: Screen) -> String {
        compare(&Excerpt::read(saw), &Excerpt::read(wanted), screen)
    }

    fn wanted() -> String {
        TABLE.replace("COMMAND  A     A    A    A    A", "COMMAND  A     A    A    A    B")
    }

    #[test]
    fn a_line_that_differs_is_shown_twice() {
        let text = compared("a: 1\nb: 1", "a: 1\nc: 1", PLAIN);
        assert_eq!(text, "         | a: 1\n  saw    | b: 1\n  wanted | c: 1\n");
        let text = compared("a: 1\nb: 1\nc: 1", "a: 1", PLAIN);
        assert_eq!(text, "         | a: 1\n  saw    | b: 1\n  saw    | c: 1\n");
        let text = compared("a: 1", "a: 1\nb: 1", PLAIN);
        assert_eq!(text, "         | a: 1\n  saw    | nothing of it\n  wanted | b: 1\n");
    }

    #[test]
    fn a_name_cannot_paint_the_screen() {
        let paint = ["\x1b[2J", "\x07", "\r", "\u{9b}", "\u{202e}"].concat();
        let text = compared(&format!("a: {paint}b{paint}"), "a: c", PLAIN);
        assert_eq!(text, "  saw    | a: b\n  wanted | a: c\n");
        let row = format!("{paint}COMMAND");
        let text = compared(&TABLE.replace("COMMAND", &row), TABLE, PLAIN);
        assert!(text.contains("  saw    |") && !text.contains("\x1b"), "{text}");
    }

    #[test]
    fn pairs_stand_together() {
        let text = compared("x: 1\ny: 2", "x: 3\ny: 4", PLAIN);
        assert_eq!(text, "  saw    | x: 1\n  wanted | x: 3\n  saw    | y: 2\n  wanted | y: 4\n");
    }

    #[test]
    fn the_letter_that_differs_is_marked() {
        let text = compared(TABLE, &wanted(), PLAIN);
        let row = format!("  wanted | {LEFT}\n         |                               ^\n");
        assert!(text.contains(&row), "{text}");
    }

    #[test]
    fn a_longer_name_is_no_difference() {
        let text = compared(&TABLE.replace("lab    ", "another one"), TABLE, PLAIN);
        assert!(text.contains("         | COMMAND      A     A"), "{text}");
        assert!(text.contains("  saw    | another one  A"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_gets_the_table_on_its_side() {
        let narrow = Screen { width: 27, ..PLAIN };
        assert_eq!(
            compared(TABLE, &wanted(), narrow),
            "               lab  COMMAND\n       user    A    A\n       mnt     A    A\n       \
             pid     A    A\n       net     A    A\nsaw    uts     A    A\nwanted uts     A    B\n\
             \x20                   ^\n       ipc     A    A\n       cgroup  A    A\n       \
             time    A    A\n       host: x\n"
        );
    }

    #[test]
    fn a_process_that_was_never_seen_has_no_row() {
        let row = TABLE.lines().nth(2).unwrap();
        let saw = TABLE.replace(row, "COMMAND: never started");
        let text = compared(&saw, TABLE, PLAIN);
        let rest =
            format!("  saw    | COMMAND: never started\n  wanted | {row}\n         | host: x\n");
        assert!(text.ends_with(&rest), "{text}");
        let narrow = compared(&saw, TABLE, Screen { width: 27, ..PLAIN });
        assert!(narrow.starts_with("saw    COMMAND: never\n       started\n"), "{narrow}");
        assert!(narrow.ends_with("wanted time    A    A\n       host: x\n"), "{narrow}");
    }
}
