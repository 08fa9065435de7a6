//! A teacher's own table of grades, with one column filled: `--into`.
//!
//! Gradebooks are particular about what they import: Canvas makes a new assignment of a column that it does
//! not know, and Moodle refuses the whole file for one student too many. What the gradebook itself has exported
//! has the right head and the right students, so a table is never made here, only filled.
//!
//! Every byte that is not in a cell of that column stays: a byte order mark, quotes that are not needed, the
//! ends of lines, the order, bytes that are no UTF-8. That is why the cells are found here, and not by the crate
//! `csv`, which gives their values and not their places.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Student, Total};

/// Which cells are meant.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    /// The head of the column that has the students.
    pub students: &'a str,
    /// The head of the column to fill.
    pub points: &'a str,
    /// How a student stands in the first of them: a text with `{key}`, or with `{name}` and `{number}`, which
    /// are what stands before and after the last `_` of a key.
    pub pattern: &'a str,
}

/// A table, and what did not go into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    pub table: Vec<u8>,
    /// How many cells have points now.
    pub filled: usize,
    /// Rows of students without a result.
    pub without: usize,
    /// Keys with a result that the table does not have.
    pub unknown: Vec<String>,
    /// Keys that stand in several rows, or several of which mean one row.
    pub doubled: Vec<String>,
    /// Keys whose row ends before the column.
    pub short: Vec<String>,
    /// Keys that were not judged, and why. Their cells stay as they are.
    pub open: Vec<(String, String)>,
}

/// Fills the column.
///
/// # Errors
///
/// The table cannot be read, has not these columns, or has one of them twice: in one line, and what to do.
pub fn fill(
    table: &[u8],
    students: &[Student],
    columns: &Columns,
) -> Result<Filled, (String, String)> {
    let rows = read(table, [columns.students, columns.points])?;
    let (head, rows) =
        rows.split_first().ok_or_else(|| fault("it is empty", "export the gradebook again"))?;
    let key_column = column(table, head, columns.students)?;
    let points_column = column(table, head, columns.points)?;
    if key_column == points_column {
        return Err(fault("one column cannot have both students and points", "name two columns"));
    }

    let mut rows_of: BTreeMap<Vec<u8>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let key = row.0.get(key_column).map(|cell| cell.value(table)).unwrap_or_default();
        // Such as the line of Canvas that has the points possible.
        if !key.is_empty() {
            rows_of.entry(key).or_default().push(row);
        }
    }
    let mut students_of: BTreeMap<Vec<u8>, Vec<&Student>> = BTreeMap::new();
    let mut filled = Filled {
        table: Vec::new(),
        filled: 0,
        without: 0,
        unknown: Vec::new(),
        doubled: Vec::new(),
        short: Vec::new(),
        open: Vec::new(),
    };
    for student in students {
        match in_table(student.key, columns.pattern) {
            Some(text) => students_of.entry(text.into_bytes()).or_default().push(student),
            None => filled.unknown.push(student.key.to_owned()),
        }
    }

    let mut changes: BTreeMap<usize, (Range<usize>, Vec<u8>)> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (text, students) in &students_of {
        let keys = students.iter().map(|student| student.key.to_owned());
        let (student, row) = match (students.as_slice(), rows_of.get(text).map(Vec::as_slice)) {
            (_, None) => {
                filled.unknown.extend(keys);
                continue;
            }
            ([student], Some([row])) => (student, row),
            _ => {
                filled.doubled.extend(keys);
                found.insert(text);
                continue;
            }
        };
        found.insert(text);
        match (student.total(), row.0.get(points_column)) {
            (Total::Open(why), _) => filled.open.push((student.key.to_owned(), why)),
            (Total::Points { .. }, None) => filled.short.push(student.key.to_owned()),
            (Total::Points { earned, .. }, Some(cell)) => {
                let points = match cell.is_quoted {
                    true => format!("\"{earned}\""),
                    false => earned.to_string(),
                };
                changes.insert(cell.place.start, (cell.place.clone(), points.into_bytes()));
                filled.filled += 1;
            }
        }
    }
    filled.without = rows_of.keys().filter(|text| !found.contains(text)).count();
    filled.unknown.sort();

    let mut end = 0;
    for (place, points) in changes.into_values() {
        filled.table.extend_from_slice(&table[end..place.start]);
        filled.table.extend(points);
        end = place.end;
    }
    filled.table.extend_from_slice(&table[end..]);
    Ok(filled)
}

/// Whether a pattern tells students apart.
pub fn is_pattern(pattern: &str) -> bool {
    ["{key}", "{name}", "{number}"].iter().any(|part| pattern.contains(part))
}

/// What stands in the table for a key; `None` if the pattern takes a number that the key has not.
fn in_table(key: &str, pattern: &str) -> Option<String> {
    let parts = key.rsplit_once('_');
    let parts = parts.filter(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let (name, number) = match parts {
        Some(parts) => parts,
        None if pattern.contains("{number}") => return None,
        None => (key, ""),
    };
    // One after the other, so that a key with a brace in it is not taken for a pattern.
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('{') {
        text += &rest[..at];
        let known = [("{key}", key), ("{name}", name), ("{number}", number)];
        match known.iter().find(|(part, _)| rest[at..].starts_with(part)) {
            Some((part, value)) => {
                text += value;
                rest = &rest[at + part.len()..];
            }
            None => {
                text.push('{');
                rest = &rest[at + 1..];
            }
        }
    }
    Some(text + rest)
}

#[derive(Debug)]
struct Row(Vec<Cell>);

#[derive(Debug)]
struct Cell {
    /// With its quotes.
    place: Range<usize>,
    is_quoted: bool,
}

impl Cell {
    fn value(&self, table: &[u8]) -> Vec<u8> {
        let bytes = &table[self.place.clone()];
        if !self.is_quoted {
            return bytes.to_vec();
        }
        let mut value = Vec::new();
        let mut inner = bytes[1..bytes.len() - 1].iter();
        while let Some(byte) = inner.next() {
            value.push(*byte);
            if *byte == b'"' {
                inner.next();
            }
        }
        value
    }
}

fn fault(what: &str, help: &str) -> (String, String) {
    (what.to_owned(), help.to_owned())
}

/// The place of a column, by its head.
fn column(table: &[u8], head: &Row, name: &str) -> Result<usize, (String, String)> {
    let heads: Vec<_> = head.0.iter().map(|cell| cell.value(table)).collect();
    let places: Vec<_> = (0..heads.len()).filter(|at| heads[*at] == name.as_bytes()).collect();
    match places.as_slice() {
        [place] => Ok(*place),
        [] => {
            let heads: Vec<_> = heads
                .iter()
                .map(|head| super::one_line(&String::from_utf8_lossy(head)))
                .filter(|head| !head.is_empty())
                .map(|head| format!("`{head}`"))
                .collect();
            Err((
                format!("no column is called `{name}`"),
                format!("there are {}", heads.join(", ")),
            ))
        }
        _ => Err((
            format!("{} columns are called `{name}`", places.len()),
            "rename all but one of them in the gradebook, and export it again".to_owned(),
        )),
    }
}

/// The cells of a table, row by row. The delimiter is the one between the columns of these names: another may
/// stand in a name.
fn read(table: &[u8], names: [&str; 2]) -> Result<Vec<Row>, (String, String)> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
    if table.starts_with(b"\xff\xfe") || table.starts_with(b"\xfe\xff") {
        let help = "export it as UTF-8, or convert it with `iconv -f UTF-16 -t UTF-8`";
        return Err(fault("it is UTF-16", help));
    }
    let start = if table.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let fit = |delimiter: &u8| {
        let (head, _) = row(table, start, *delimiter)?;
        let values: Vec<_> = head.0.iter().map(|cell| cell.value(table)).collect();
        let known = names.iter().filter(|name| values.iter().any(|it| it == name.as_bytes()));
        Some((known.count(), values.len()))
    };
    let delimiter = DELIMITERS.into_iter().max_by_key(fit).unwrap_or(b',');
    let (mut rows, mut at) = (Vec::new(), start);
    while at < table.len() {
        let (row, end) = row(table, at, delimiter).ok_or_else(|| {
            let line = 1 + table[..at].iter().filter(|byte| **byte == b'\n').count();
            let what =
                format!("a quoted cell of the row that begins in line {line} does not end well");
            (what, "export the gradebook again".to_owned())
        })?;
        rows.push(row);
        at = end;
    }
    Ok(rows)
}

/// One row, and where the next begins. `None` if a quoted cell does not end, or ends before its delimiter.
fn row(table: &[u8], start: usize, delimiter: u8) -> Option<(Row, usize)> {
    let (mut cells, mut at) = (Vec::new(), start);
    loop {
        let begin = at;
        let is_quoted = table.get(at) == Some(&b'"');
        if is_quoted {
            at += 1;
            loop {
                match (table.get(at)?, table.get(at + 1)) {
                    (b'"', Some(b'"')) => at += 2,
                    (b'"', _) => break,
                    _ => at += 1,
                }
            }
            at += 1;
        } else {
            let ends = |byte: &u8| [delimiter, b'\r', b'\n'].contains(byte);
            let length = table[at..].iter().position(ends);
            at = length.map_or(table.len(), |length| at + length);
        }
        cells.push(Cell { place: begin..at, is_quoted });
        match (table.get(at), table.get(at + 1)) {
            (Some(byte), _) if *byte == delimiter => at += 1,
            (Some(b'\r'), Some(b'\n')) => return Some((Row(cells), at + 2)),
            (Some(b'\r' | b'\n'), _) => return Some((Row(cells), at + 1)),
            (None, _) => return Some((Row(cells), at)),
            (Some(_), _) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(table: &[u8]) -> Vec<Vec<String>> {
        let rows = read(table, ["a", "b;c"]).unwrap();
        let value = |cell: &Cell| String::from_utf8(cell.value(table)).unwrap();
        rows.iter().map(|row| row.0.iter().map(value).collect()).collect()
    }

    #[test]
    fn cells_are_found_in_every_dialect() {
        let wanted = vec![vec!["a", "b;c"], vec!["\"x\"\ny", ""]];
        for table in [
            &b"a,b;c\n\"\"\"x\"\"\ny\",\n"[..],
            b"\xef\xbb\xbfa,b;c\r\n\"\"\"x\"\"\ny\",",
            b"\"a\",\"b;c\"\r\"\"\"x\"\"\ny\",\"\"",
            b"a\tb;c\n\"\"\"x\"\"\ny\"\t\"\"",
        ] {
            assert_eq!(values(table), wanted, "{}", table.escape_ascii());
        }
        assert_eq!(values(b""), Vec::<Vec<String>>::new());
        for damaged in [&b"a,b\n\"x"[..], b"a,b\n\"x\"y,z"] {
            assert!(read(damaged, ["a", "b"]).is_err(), "{}", damaged.escape_ascii());
        }
        assert!(read(b"\xff\xfea\0", ["a", "b"]).unwrap_err().0.contains("UTF-16"));
    }

    #[test]
    fn a_pattern_takes_a_key_apart() {
        for (pattern, wanted) in [
            ("{key}", Some("Ana M\u{fc}ller_12")),
            ("Participant {number}", Some("Participant 12")),
            ("{name}", Some("Ana M\u{fc}ller")),
            ("{x}{number}{", Some("{x}12{")),
        ] {
            assert_eq!(in_table("Ana M\u{fc}ller_12", pattern).as_deref(), wanted);
        }
        assert_eq!(in_table("alice", "Participant {number}"), None);
        assert_eq!(in_table("{number}_1", "{key}").as_deref(), Some("{number}_1"));
        assert!(is_pattern("x{key}") && !is_pattern("Participant"));
    }
}
