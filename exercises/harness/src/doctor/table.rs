//! The table of environments, `environments.toml`.
//!
//! ```toml
//! [[environment]]
//! name = "debian-switch"
//! title = "Debian 10 and earlier, hardened kernels"
//! when = { namespaces = ["EPERM"] }                 # place (probe or stage) and errnos
//! facts = { unprivileged_userns_clone = "0" }       # what must hold; `*` is any text
//! cause = "…"                                       # a main clause; `{fact}` is its value
//! remedy = "…"                                      # what to type
//! unstaged = "it takes Debian's patch"              # or where a test stages it:
//! staged = { "chroot" = "namespaces EPERM" }        # stage, and what is refused there
//! source = "…"
//! ```
//!
//! `*` there stands for any place or errno: these depend on the pids in use. Stages are made by
//! `tests/doctor/staged/environments.rs`, and `tests/doctor` goes through them all.
//!
//! A fact may be a list (any of them). A row is `weak = true` if its facts allow the cause but do not
//! prove it. Rows go from the particular to the general.

use toml::de::{DeTable, DeValue};

/// Where the knowledge behind a row comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// `tests/doctor` makes such environments and compares.
    Tested(Vec<Staged>),
    /// A report or source code, which `source` names; this is why it cannot be staged.
    Cited(String),
}

/// An environment that a test makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    pub stage: String,
    /// The place of the first refusal there, as under `when`, and its errno.
    pub at: String,
    pub errno: String,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub name: String,
    /// A heading for people.
    pub title: String,
    /// Places that are refused, and with which errnos.
    pub when: Vec<(String, Vec<String>)>,
    /// Facts that must hold, with the patterns that their values match.
    pub facts: Vec<(String, Vec<String>)>,
    /// The facts do not prove it, so it stays a guess.
    pub weak: bool,
    pub cause: String,
    pub remedy: String,
    pub proof: Proof,
    pub source: String,
}

/// What an errno means if no environment fits.
#[derive(Debug)]
pub struct Meaning {
    pub errno: String,
    pub cause: String,
    pub remedy: String,
    pub proof: Proof,
}

const TEXT: &str = include_str!("environments.toml");

/// Every environment we know, from the particular to the general.
pub fn environments() -> Vec<Environment> {
    parse(TEXT).expect("a test reads it").0
}

/// What errnos mean if no environment fits.
pub fn meanings() -> Vec<Meaning> {
    parse(TEXT).expect("a test reads it").1
}

fn parse(text: &str) -> Result<(Vec<Environment>, Vec<Meaning>), String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string())?;
    let environments = rows(table.get_ref(), "environment", environment)?;
    let meanings = rows(table.get_ref(), "errno", meaning)?;
    Ok((environments, meanings))
}

/// All `[[name]]`, each read by `read`.
fn rows<T>(
    table: &DeTable,
    name: &str,
    read: fn(&DeTable) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let rows = table.get(name).and_then(|rows| rows.get_ref().as_array());
    let rows = rows.into_iter().flat_map(|rows| rows.iter()).enumerate();
    rows.map(|(number, row)| match row.get_ref().as_table() {
        Some(row) => read(row),
        None => Err(format!("not a table: {name} {}", number + 1)),
    })
    .collect()
}

fn environment(row: &DeTable) -> Result<Environment, String> {
    let name = text(row, "name")?;
    let error = |what: String| format!("environment {name}: {what}");
    let keys = ["name", "title", "when", "facts", "weak", "cause", "remedy", "source"];
    known(row, &[&keys[..], &PROOF].concat()).map_err(error)?;
    let lists = |key: &str| match row.get(key) {
        None => Ok(Vec::new()),
        Some(value) => {
            lists(value.get_ref()).ok_or_else(|| error(format!("`{key}` is no table of texts")))
        }
    };
    let text = |key: &str| text(row, key).map_err(error);
    Ok(Environment {
        title: text("title")?,
        when: lists("when")?,
        facts: lists("facts")?,
        weak: row.get("weak").is_some_and(|weak| weak.get_ref().as_bool() == Some(true)),
        cause: text("cause")?,
        remedy: text("remedy")?,
        proof: proof(row).map_err(error)?,
        source: text("source")?,
        name: name.clone(),
    })
}

fn meaning(row: &DeTable) -> Result<Meaning, String> {
    known(row, &[&["errno", "cause", "remedy"][..], &PROOF].concat())?;
    Ok(Meaning {
        errno: text(row, "errno")?,
        cause: text(row, "cause")?,
        remedy: text(row, "remedy")?,
        proof: proof(row)?,
    })
}

/// Keys of which a row has one.
const PROOF: [&str; 2] = ["staged", "unstaged"];

fn proof(row: &DeTable) -> Result<Proof, String> {
    match PROOF.map(|key| row.get(key).map(|value| value.get_ref())) {
        [Some(stages), None] => {
            let stages = stages.as_table().ok_or("`staged` is no table")?.iter();
            let staged = stages.map(|(stage, refused)| {
                let refused = refused.get_ref().as_str().and_then(|text| text.split_once(' '));
                let (at, errno) =
                    refused.ok_or(format!("`{}` is no place and errno", stage.get_ref()))?;
                let (stage, at) = (stage.get_ref().to_string(), at.to_owned());
                Ok(Staged { stage, at, errno: errno.to_owned() })
            });
            Ok(Proof::Tested(staged.collect::<Result<_, String>>()?))
        }
        [None, Some(_)] => Ok(Proof::Cited(text(row, "unstaged")?)),
        _ => Err("either `staged` or `unstaged`".to_owned()),
    }
}

fn known(row: &DeTable, keys: &[&str]) -> Result<(), String> {
    match row.keys().find(|key| !keys.contains(&key.get_ref().as_ref())) {
        Some(key) => Err(format!("unknown key `{}`", key.get_ref())),
        None => Ok(()),
    }
}

fn text(row: &DeTable, key: &str) -> Result<String, String> {
    let text = row.get(key).and_then(|value| value.get_ref().as_str());
    text.map(|text| text.trim().to_owned()).ok_or_else(|| format!("no text `{key}`"))
}

/// A table of texts or lists of texts.
fn lists(value: &DeValue) -> Option<Vec<(String, Vec<String>)>> {
    let pairs = value.as_table()?.iter().map(|(key, value)| {
        let values = match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| Some(item.get_ref().as_str()?.to_owned()))
                .collect::<Option<Vec<_>>>()?,
            one => vec![one.as_str()?.to_owned()],
        };
        Some((key.get_ref().to_string(), values))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Facts;
    use lab::probe;
    use lab::sandbox::Stage;

    #[test]
    fn the_table_reads_and_names_only_what_exists() {
        let (rows, meanings) = parse(TEXT).unwrap();
        assert!(rows.len() > 20 && meanings.len() > 5);
        let facts = Facts::read();
        let facts: Vec<&str> = facts.iter().map(|(name, _)| name).collect();
        let places = probe::ALL.iter().map(|probe| probe.name).chain(["lock"]);
        let places: Vec<_> = places.chain(Stage::ALL.map(Stage::name)).collect();
        for row in &rows {
            assert!(!row.when.is_empty(), "{}", row.name);
            for (place, errnos) in &row.when {
                assert!(places.contains(&place.as_str()), "{}: {place}", row.name);
                for errno in errnos {
                    assert!(is_errno(errno), "{}: {errno}", row.name);
                }
            }
            for (fact, _) in &row.facts {
                assert!(facts.contains(&fact.as_str()), "{}: {fact}", row.name);
            }
            // Where a stage is refused, its row must know the errno.
            if let Proof::Tested(stages) = &row.proof {
                for Staged { stage, at, errno } in stages {
                    let refused = |(place, errnos): &(String, Vec<String>)| {
                        at == "*" || place == at && errnos.contains(errno)
                    };
                    assert!(row.when.iter().any(refused), "{}: {stage}", row.name);
                }
            }
            let end = row.cause.ends_with('.') || row.remedy.ends_with('.');
            assert!(!end, "{}: an error text has no full stop", row.name);
            let same = rows.iter().filter(|other| other.name == row.name);
            assert_eq!(same.count(), 1, "{}", row.name);
        }
    }

    fn is_errno(name: &str) -> bool {
        (0..134).any(|number| format!("{:?}", nix::errno::Errno::from_raw(number)) == name)
    }

    #[test]
    fn a_broken_table_says_what_is_wrong() {
        let row =
            "[[environment]]\nname = 'x'\ntitle = 't'\ncause = 'c'\nremedy = 'r'\nsource = 's'\n";
        for (text, wrong) in [
            ("[[environment]]\n".to_owned(), "no text `name`"),
            (row.to_owned(), "environment x: either `staged` or `unstaged`"),
            (format!("{row}staged = {{}}\nunstaged = 'u'"), "x: either `staged` or `unstaged`"),
            (format!("{row}staged = {{ s = 'EPERM' }}"), "x: `s` is no place and errno"),
            (format!("{row}when = 'always'"), "environment x: `when` is no table of texts"),
            (format!("{row}help = 'h'"), "environment x: unknown key `help`"),
            ("environment = [1]".to_owned(), "not a table: environment 1"),
            ("[[".to_owned(), "TOML parse error"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(wrong), "{text:?} gave {error:?}");
        }
    }
}
