//! The table of what has run where, in `book/kernels.md`: the page *Restricted systems* includes it, and
//! a test compares README.md with it. A run replaces its own cells and leaves the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::suites::{Outcome, SUITES};

/// The columns that every row has, before those of the suites.
const KEYS: [&str; 3] = ["kernel", "as", "run on"];

/// The rows by kernel and account: the date, and a cell for each suite.
type Rows = BTreeMap<(Version, String), BTreeMap<String, String>>;

/// A kernel's release, in the order of versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(Vec<u32>, String);

impl Version {
    fn new(release: &str) -> Version {
        let numbers = release.split(|c: char| !c.is_ascii_digit());
        Version(numbers.map_while(|number| number.parse().ok()).collect(), release.to_owned())
    }
}

/// Enters what came of a kernel's suites into the table.
pub(crate) fn enter(file: &Path, release: &str, outcomes: &[Outcome], date: &str) -> Result<()> {
    let mut rows = read(&fs::read_to_string(file).unwrap_or_default());
    for outcome in outcomes.iter().filter(|outcome| is_shown(&outcome.suite)) {
        let row = rows.entry((Version::new(release), outcome.account.clone())).or_default();
        row.insert("run on".to_owned(), date.to_owned());
        row.insert(outcome.suite.clone(), cell(outcome));
    }
    fs::write(file, text(&rows)).with_context(|| format!("could not write {file:?}"))
}

fn is_shown(suite: &str) -> bool {
    SUITES.iter().any(|shown| shown.name == suite)
}

fn cell(outcome: &Outcome) -> String {
    match (&outcome.failure, outcome.skipped.len()) {
        (Some(_), _) => "failed".to_owned(),
        (None, 0) => outcome.passed.to_string(),
        (None, skipped) => format!("{}, {skipped} skipped", outcome.passed),
    }
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

fn read(text: &str) -> Rows {
    let mut lines = text.lines().filter_map(cells);
    let head = lines.next().unwrap_or_default();
    let mut rows = Rows::new();
    // The second line is made of dashes.
    for line in lines.skip(1) {
        let row: BTreeMap<String, String> = head
            .iter()
            .zip(line)
            .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
            .collect();
        let key = |name: &str| row.get(name).cloned().unwrap_or_default();
        rows.insert((Version::new(&key("kernel")), key("as")), row);
    }
    rows
}

fn text(rows: &Rows) -> String {
    let suites = SUITES.iter().map(|suite| suite.name);
    let suites: Vec<&str> =
        suites.filter(|suite| rows.values().any(|row| row.contains_key(*suite))).collect();
    let line = |cells: &mut dyn Iterator<Item = String>| {
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let head = KEYS.iter().chain(&suites).map(|name| (*name).to_owned());
    let mut text = line(&mut head.clone());
    text += &line(&mut head.map(|_| "---".to_owned()));
    for ((Version(_, release), account), row) in rows {
        let cell = |name: &str| {
            row.get(name).filter(|cell| !cell.is_empty()).cloned().unwrap_or("–".into())
        };
        let keys = [release.clone(), account.clone(), cell("run on")];
        text += &line(&mut keys.into_iter().chain(suites.iter().map(|suite| cell(suite))));
    }
    text
}

/// The versions in a table, such as `6.1`, from the oldest to the newest.
#[cfg(test)]
fn versions(table: &str) -> Vec<String> {
    let versions: std::collections::BTreeSet<Vec<u32>> =
        read(table).into_keys().map(|(Version(numbers, _), _)| numbers[..2].to_vec()).collect();
    versions.into_iter().map(|numbers| format!("{}.{}", numbers[0], numbers[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(suite: &str, account: &str, passed: usize, skipped: &[&str]) -> Outcome {
        Outcome {
            suite: suite.into(),
            account: account.into(),
            passed,
            skipped: skipped.iter().map(|text| (*text).to_owned()).collect(),
            seconds: 1,
            failure: None,
        }
    }

    #[test]
    fn a_run_replaces_its_own_cells_only() {
        let folder = std::env::temp_dir().join(format!("kernels-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("kernels.md");
        let (hostile, doctor) =
            (outcome("hostile", "user", 7, &["a"]), outcome("doctor", "root", 28, &[]));
        enter(&file, "6.12.1+deb13-amd64", &[doctor, hostile], "2026-01-01").unwrap();
        enter(&file, "6.1.0-50-amd64", &[outcome("doctor", "root", 27, &[])], "2026-01-02")
            .unwrap();
        enter(&file, "6.12.1+deb13-amd64", &[outcome("doctor", "root", 29, &[])], "2026-01-03")
            .unwrap();
        let wanted = "| kernel | as | run on | doctor | hostile |\n\
                      | --- | --- | --- | --- | --- |\n\
                      | 6.1.0-50-amd64 | root | 2026-01-02 | 27 | – |\n\
                      | 6.12.1+deb13-amd64 | root | 2026-01-03 | 29 | – |\n\
                      | 6.12.1+deb13-amd64 | user | 2026-01-01 | – | 7, 1 skipped |\n";
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_dir_all(folder).unwrap();
        assert_eq!(text, wanted);
        assert_eq!(versions(&text), ["6.1", "6.12"]);
    }
}
