//! The classic mistakes, which are tables of data (`exercises/chNN-slug/mistakes.toml`), and their
//! diagnosis.
//!
//! ```toml
//! [[mistake]]
//! name = "the host name is set before the namespace is left"
//! edit = [{ find = "…", replace = "…" }]          # how to make it, from the solution
//! when = { "lab afterwards" = "host name is NAME" } # how it shows, in facts of the report
//! cause = "…"
//! remedy = "…"
//! see = "a-heading-of-the-page"
//! call = "unshare(*"                                # the call of the trace it is about, or
//! missing = { call = "sethostname()", after = "unshare(*" } # the one that is not there; or `before`
//! ```
//!
//! `call` and `missing` may both be left out: then the last call that failed is pointed at.
//! A `when` value may be a list (any of them) and may hold `*` (any text). All keys must fit. Where
//! a mistake shows in several ways, `when` is a list of such tables. The first row that fits is the
//! diagnosis, so a table goes from the particular to the general.

use std::fmt;

use toml::de::{DeTable, DeValue};

use crate::report::Report;
use trace::{Pointer, Side, Trace, glob};

/// One replacement in the solution's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub find: String,
    pub replace: String,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub name: String,
    /// How to make it from the chapter's solution. The general table's edits are for chapter 2's.
    pub edits: Vec<Edit>,
    /// How it shows: in all facts of one of these. A fact has one of these values.
    pub when: Vec<Vec<(String, Vec<String>)>>,
    pub cause: String,
    pub remedy: String,
    /// A heading's anchor in the chapter's page; empty in the general table.
    pub see: String,
    pub pointer: Option<Pointer>,
}

/// What is wrong with a table, and where.
#[derive(Debug)]
pub struct TableError(String);

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TableError {}

/// The rows that every chapter shares: what may go wrong in any program.
pub fn general() -> Vec<Mistake> {
    parse(include_str!("mistakes.toml"), false).expect("a test reads it")
}

/// Reads a chapter's table.
///
/// # Errors
///
/// What is not TOML, missing, or unknown: the first of these.
pub fn of_chapter(text: &str) -> Result<Vec<Mistake>, TableError> {
    parse(text, true)
}

fn parse(text: &str, of_chapter: bool) -> Result<Vec<Mistake>, TableError> {
    let table = DeTable::parse(text)
        .map_err(|error| TableError(error.to_string().trim_end().to_owned()))?;
    let rows = table.get_ref().get("mistake").map(|rows| rows.get_ref());
    let Some(DeValue::Array(rows)) = rows else {
        return Err(TableError("no [[mistake]] in it".into()));
    };
    rows.iter()
        .enumerate()
        .map(|(number, row)| read(row.get_ref(), number + 1, of_chapter))
        .collect()
}

fn read(row: &DeValue, number: usize, of_chapter: bool) -> Result<Mistake, TableError> {
    let error = |what: &str| TableError(format!("mistake {number}: {what}"));
    let row = row.as_table().ok_or_else(|| error("not a table"))?;
    const KEYS: [&str; 8] = ["name", "edit", "when", "cause", "remedy", "see", "call", "missing"];
    if let Some((key, _)) = row.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
        return Err(error(&format!("unknown key `{}`", key.get_ref())));
    }
    let text = |key: &str| {
        let text = row.get(key).and_then(|value| value.get_ref().as_str());
        text.map(|text| text.trim().to_owned()).ok_or_else(|| error(&format!("no text `{key}`")))
    };
    let strings = |value: &DeValue| match value {
        DeValue::Array(items) => {
            items.iter().map(|item| Some(item.get_ref().as_str()?.to_owned())).collect()
        }
        value => value.as_str().map(|text| vec![text.to_owned()]),
    };

    let mut edits = Vec::new();
    let listed = row.get("edit").and_then(|edits| edits.get_ref().as_array());
    if of_chapter || listed.is_some() {
        for edit in listed.ok_or_else(|| error("no list `edit`"))?.iter() {
            let part = |key: &str| {
                let part =
                    edit.get_ref().as_table().and_then(|edit| edit.get(key)?.get_ref().as_str());
                part.map(str::to_owned).ok_or_else(|| error(&format!("an edit without `{key}`")))
            };
            edits.push(Edit { find: part("find")?, replace: part("replace")? });
        }
    }
    let facts = |table: &DeValue| {
        let facts = table.as_table().ok_or_else(|| error("no table `when`"))?;
        let read = facts.iter().map(|(key, value)| {
            let values = strings(value.get_ref())
                .ok_or_else(|| error("`when` holds something else than text"))?;
            Ok((key.get_ref().to_string(), values))
        });
        read.collect::<Result<Vec<_>, TableError>>()
    };
    let when = match row.get("when").map(|when| when.get_ref()) {
        Some(DeValue::Array(ways)) => {
            ways.iter().map(|way| facts(way.get_ref())).collect::<Result<_, _>>()?
        }
        Some(way) => vec![facts(way)?],
        None => return Err(error("no table `when`")),
    };
    let pointer = match (row.get("call"), row.get("missing").map(|value| value.get_ref())) {
        (None, None) => None,
        (Some(_), None) => Some(Pointer::Call(text("call")?)),
        (None, Some(DeValue::Table(missing))) => {
            let part = |key: &str| missing.get(key).and_then(|value| value.get_ref().as_str());
            let (side, of) = match (part("before"), part("after")) {
                (Some(of), None) => (Side::Before, of),
                (None, Some(of)) => (Side::After, of),
                _ => return Err(error("`missing` needs a `before` or an `after`")),
            };
            let call = part("call").ok_or_else(|| error("`missing` needs a `call`"))?;
            Some(Pointer::Missing { call: call.to_owned(), side, of: of.to_owned() })
        }
        _ => return Err(error("either a text `call` or a table `missing`")),
    };
    Ok(Mistake {
        name: text("name")?,
        edits,
        when,
        cause: text("cause")?,
        remedy: text("remedy")?,
        see: if of_chapter { text("see")? } else { String::new() },
        pointer,
    })
}

/// The first mistake that fits the report.
///
/// A program need not print which of its calls failed, but the trace of a recorded run has that call.
/// A pattern for `stderr` may match either of them.
pub fn diagnose<'a>(
    mistakes: impl IntoIterator<Item = &'a Mistake>,
    report: &Report,
) -> Option<&'a Mistake> {
    let failed = report.trace.as_ref().and_then(Trace::failed_call);
    let so = |(key, wanted): &(String, Vec<String>)| {
        let failed = failed.as_ref().filter(|_| key == "stderr");
        let mut facts = report.facts(key).chain(failed.cloned());
        facts.any(|fact| wanted.iter().any(|pattern| glob(pattern, &fact)))
    };
    mistakes.into_iter().find(|mistake| mistake.when.iter().any(|facts| facts.iter().all(so)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_general_table_reads() {
        assert!(general().len() > 3);
    }

    #[test]
    fn a_broken_table_says_what_is_wrong() {
        for (text, wrong) in [
            ("mistake = 1", "no [[mistake]]"),
            ("[[mistake]]\nname = 'x'", "mistake 1: no list `edit`"),
            ("[[mistake]]\nnmae = 'x'", "mistake 1: unknown key `nmae`"),
            ("[[mistake]]\nedit = []\nwhen = { uts = 1 }", "something else than text"),
            ("[[mistake]]\nedit = []\nwhen = {}\nmissing = {}", "`missing` needs a `before`"),
            ("[[mistake]]\nedit = []\nwhen = {}\ncall = ''\nmissing = 1", "either a text"),
            ("[[mistake", "TOML parse error"),
        ] {
            let error = of_chapter(text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text:?} gave {error:?}");
        }
    }
}
