//! What was seen beside what was wanted.

use crate::reader::diff::{self, Line};
use crate::shared::screen::{Screen, plain_lines};

/// The lines of both texts; where they differ, each with its owner, and below it the place. What was
/// seen has names in it that the program has given.
pub(crate) fn compare(saw: &str, wanted: &str, screen: Screen) -> String {
    let (saw, wanted) = (&*plain_lines(saw), &*plain_lines(wanted));
    if fits(saw, screen) && fits(wanted, screen) {
        return rows(saw, wanted, screen, WIDE);
    }
    let (saw_table, saw_rest) = split_table(saw);
    let (wanted_table, wanted_rest) = split_table(wanted);
    // Somebody who was never seen has no row; the others' rows say nothing then.
    let comparable = saw_table.names == wanted_table.names;
    let saw = if comparable { saw_table.transposed() + &saw_rest } else { saw_rest };
    rows(&saw, &(wanted_table.transposed() + &wanted_rest), screen, NARROW)
}

fn rows(saw: &str, wanted: &str, screen: Screen, margins: Margins) -> String {
    let (both, left, right) = margins;
    let row = |margin: &str, text: &str| match is_tabular(text) {
        // A table keeps its columns.
        true => format!("{margin}{text}\n"),
        false => screen.hanging(margin, text),
    };
    let bad = |text| screen.bad(row(left, text).trim_end()) + "\n";
    let good = |text| screen.good(row(right, text).trim_end()) + "\n";
    let mut out = String::new();
    // A longer name moves the columns of its table, which is no difference.
    let same = |one: &str, two: &str| one.split_whitespace().eq(two.split_whitespace());
    for pair in paired(diff::compare_by(saw, wanted, same)) {
        out += &match pair {
            Pair::Both(text) => row(both, text),
            Pair::Saw(text) => bad(text),
            Pair::Wanted(text) => good(text),
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

fn fits(text: &str, screen: Screen) -> bool {
    let room = screen.width.saturating_sub(WIDE.0.len());
    text.lines().filter(|line| is_tabular(line)).all(|line| line.chars().count() <= room)
}

fn is_tabular(line: &str) -> bool {
    line.contains("  ")
}

/// Lines of a comparison. Where as many were seen as wanted, they belong together in pairs.
enum Pair<'a> {
    Both(&'a str),
    Saw(&'a str),
    Wanted(&'a str),
    Differ(&'a str, &'a str),
}

fn paired(lines: Vec<Line>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let (mut saw, mut wanted) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Left(text) => saw.push(text),
            Line::Right(text) => wanted.push(text),
            Line::Both(text) => {
                settle(&mut pairs, &mut saw, &mut wanted);
                pairs.push(Pair::Both(text));
            }
        }
    }
    settle(&mut pairs, &mut saw, &mut wanted);
    pairs
}

fn settle<'a>(pairs: &mut Vec<Pair<'a>>, saw: &mut Vec<&'a str>, wanted: &mut Vec<&'a str>) {
    let (saw, wanted) = (std::mem::take(saw), std::mem::take(wanted));
    if saw.len() == wanted.len() {
        pairs.extend(saw.into_iter().zip(wanted).map(|(saw, wanted)| Pair::Differ(saw, wanted)));
    } else {
        pairs.extend(saw.into_iter().map(Pair::Saw));
        pairs.extend(wanted.into_iter().map(Pair::Wanted));
    }
}

/// Carets below the letters of a table's row that differ. Prose is compared by reading it.
fn place(saw: &str, wanted: &str) -> Option<String> {
    if !is_tabular(saw) || saw.chars().count() != wanted.chars().count() {
        return None;
    }
    let carets = saw.chars().zip(wanted.chars()).map(|(a, b)| if a == b { ' ' } else { '^' });
    Some(carets.collect::<String>().trim_end().to_owned())
}

/// The table of a report: who is in which namespaces.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    names: Vec<String>,
    /// Each with the letters of everybody.
    kinds: Vec<(String, Vec<String>)>,
}

/// The table at the beginning of a report, if it has one, and its other lines.
fn split_table(report: &str) -> (Table, String) {
    let mut lines = report.lines().peekable();
    let Some(header) = lines.next_if(|first| first.starts_with(' ')) else {
        return (Table::default(), report.to_owned());
    };
    let kinds = header.split_whitespace().map(|kind| (kind.to_owned(), Vec::new()));
    let mut table = Table { names: Vec::new(), kinds: kinds.collect() };
    let mut rest = String::new();
    for line in lines {
        // The letters stand at the end, one for each kind; a name may have several words.
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, letters) = words.split_at(words.len().saturating_sub(table.kinds.len()));
        if name.is_empty() || letters.iter().any(|letter| letter.len() != 1) {
            rest += &format!("{line}\n");
            continue;
        }
        table.names.push(name.join(" "));
        for ((_, row), letter) in table.kinds.iter_mut().zip(letters) {
            row.push((*letter).to_owned());
        }
    }
    (table, rest)
}

impl Table {
    /// On its side, a line for each kind: for narrow terminals.
    fn transposed(&self) -> String {
        let mut text = String::new();
        if !self.kinds.is_empty() {
            text += &format!("{:6}  {}\n", "", self.names.join("  "));
        }
        for (kind, letters) in &self.kinds {
            let cells = letters.iter().zip(&self.names);
            let cells: String =
                cells.map(|(letter, name)| format!("  {letter:0$}", name.len())).collect();
            text += &format!("{kind:6}{}\n", cells.trim_end());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Screen = Screen { terminal: false, colour: false, width: 80 };
    const TABLE: &str = "         user  uts\nlab      A     A\nCOMMAND  A     A\nhost: x";

    #[test]
    fn a_line_that_differs_is_shown_twice() {
        let text = compare("a\nb", "a\nc", PLAIN);
        assert_eq!(text, "         | a\n  saw    | b\n  wanted | c\n");
        let text = compare("a\nb\nc", "a", PLAIN);
        assert_eq!(text, "         | a\n  saw    | b\n  saw    | c\n");
    }

    #[test]
    fn a_name_cannot_paint_the_screen() {
        let acts = ["\x1b[2J", "\x07", "\r", "\u{9b}", "\u{202e}"].concat();
        let text = compare(&format!("a {acts}b\nc  d{acts}"), "a c\nc  e", PLAIN);
        let rows = "  saw    | a b\n  wanted | a c\n  saw    | c  d\n  wanted | c  e\n";
        assert_eq!(text, format!("{rows}         |    ^\n"));
    }

    #[test]
    fn pairs_stand_together() {
        let text = compare("x: 1\ny: 2", "x: 3\ny: 4", PLAIN);
        assert_eq!(text, "  saw    | x: 1\n  wanted | x: 3\n  saw    | y: 2\n  wanted | y: 4\n");
    }

    #[test]
    fn the_letter_that_differs_is_marked() {
        let wanted = TABLE.replace("COMMAND  A     A", "COMMAND  A     B");
        let text = compare(TABLE, &wanted, PLAIN);
        let row = "  wanted | COMMAND  A     B\n         |                ^\n";
        assert!(text.contains(row), "{text}");
    }

    #[test]
    fn a_narrow_terminal_gets_the_table_on_its_side() {
        let wanted = TABLE.replace("COMMAND  A     A", "COMMAND  A     B");
        let narrow = Screen { width: 27, ..PLAIN };
        assert_eq!(
            compare(TABLE, &wanted, narrow),
            "               lab  COMMAND\n       user    A    A\nsaw    uts     A    A\n\
             wanted uts     A    B\n                    ^\n       host: x\n"
        );
    }

    #[test]
    fn who_was_never_seen_has_no_row() {
        let saw = "     user  uts\nlab  A     A\nCOMMAND: never started\nhost: x";
        assert_eq!(
            compare(saw, TABLE, PLAIN),
            "         |          user  uts\n         | lab      A     A\n  \
             saw    | COMMAND: never started\n  wanted | COMMAND  A     A\n         | host: x\n"
        );
        let narrow = compare(saw, TABLE, Screen { width: 27, ..PLAIN });
        assert!(narrow.starts_with("saw    COMMAND: never\n       started\n"), "{narrow}");
        assert!(narrow.ends_with("wanted uts     A    A\n       host: x\n"), "{narrow}");
    }
}
