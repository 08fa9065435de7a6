//! What was seen beside what was wanted.

use crate::diff::{self, Line};
use crate::screen::Screen;

/// The lines of both texts; where they differ, each with its owner, and below it the place.
pub(crate) fn compare(saw: &str, wanted: &str, screen: Screen) -> String {
    let margins = if fits(saw, screen, WIDE) && fits(wanted, screen, WIDE) { WIDE } else { NARROW };
    let (saw, wanted) = match margins {
        WIDE => (saw.to_owned(), wanted.to_owned()),
        _ => (transposed(saw), transposed(wanted)),
    };
    let row = |margin: &str, text: &str| match text.contains("  ") {
        // A table keeps its columns.
        true => format!("{margin}{text}\n"),
        false => screen.hanging(margin, text),
    };
    let (both, left, right) = margins;
    let mut out = String::new();
    for line in paired(diff::compare(&saw, &wanted)) {
        out += &match line {
            Pair::Both(text) => row(both, text),
            Pair::Saw(text) => screen.bad(row(left, text).trim_end()) + "\n",
            Pair::Wanted(text) => screen.good(row(right, text).trim_end()) + "\n",
            Pair::Differ(saw, wanted) => {
                let saw_row = screen.bad(row(left, saw).trim_end());
                let wanted_row = screen.good(row(right, wanted).trim_end());
                let place = place(saw, wanted).map(|place| format!("{both}{place}\n"));
                format!("{saw_row}\n{wanted_row}\n{}", place.unwrap_or_default())
            }
        };
    }
    out
}

type Margins = (&'static str, &'static str, &'static str);
const WIDE: Margins = ("         | ", "  saw    | ", "  wanted | ");
const NARROW: Margins = ("       ", "saw    ", "wanted ");

fn fits(text: &str, screen: Screen, margins: Margins) -> bool {
    let room = screen.width.saturating_sub(margins.0.len());
    text.lines().filter(|line| line.contains("  ")).all(|line| line.chars().count() <= room)
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
    if !saw.contains("  ") || saw.chars().count() != wanted.chars().count() {
        return None;
    }
    let carets = saw.chars().zip(wanted.chars()).map(|(a, b)| if a == b { ' ' } else { '^' });
    Some(carets.collect::<String>().trim_end().to_owned())
}

/// A table of namespaces with a line for each kind instead of a column: for narrow terminals. Other
/// lines stay as they are.
fn transposed(text: &str) -> String {
    let Some((header, rest)) = text.split_once('\n').filter(|(first, _)| first.starts_with(' '))
    else {
        return text.to_owned();
    };
    let column = |kind: &str| kind.as_ptr() as usize - header.as_ptr() as usize;
    let kinds: Vec<(&str, usize)> =
        header.split_whitespace().map(|kind| (kind, column(kind))).collect();
    let Some(&(_, first)) = kinds.first() else { return text.to_owned() };
    let letter = |row: &'_ str, column: usize| row.get(column..column + 1).map(str::to_owned);
    let is_row = |line: &&str| {
        let name = line.get(..first);
        name.is_some_and(|name| name.ends_with("  "))
            && kinds.iter().all(|(_, column)| letter(line, *column).is_some_and(|cell| cell != " "))
    };
    let (rows, others): (Vec<&str>, Vec<&str>) = rest.lines().partition(is_row);
    let names: Vec<&str> = rows.iter().map(|row| row[..first].trim_end()).collect();
    let mut lines = vec![format!("{:6}  {}", "", names.join("  "))];
    for (kind, column) in &kinds {
        let mut line = format!("{kind:6}");
        for (row, name) in rows.iter().zip(&names) {
            let cell = letter(row, *column).unwrap_or_default();
            line += &format!("  {cell:0$}", name.len());
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.extend(others.into_iter().map(str::to_owned));
    lines.join("\n")
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
        for text in ["", " ", "\n", " a\n", " a  b\nno row", "x\ny"] {
            transposed(text);
        }
    }
}
