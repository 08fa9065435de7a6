//! The table of what has run where, in `book/kernels.md`: the page *Restricted systems* includes it, and
//! a test compares README.md with it. A run replaces its own cells and leaves the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::suites::{ACCOUNTS, Outcome, SUITES};
use crate::version::Version;

/// The rows after those of the suites.
const RELEASE: &str = "release";
const DATE: &str = "run on";

/// A column for each kernel and size of machine: its cells by the names of the rows.
type Columns = BTreeMap<(Version, String), BTreeMap<String, String>>;

/// Enters what came of a kernel's suites into the table. A newer release takes the place of an older one
/// of the same version.
pub(crate) fn enter(
    file: &Path,
    release: &str,
    size: &str,
    outcomes: &[Outcome],
    date: &str,
) -> Result<()> {
    let mut columns = read(&fs::read_to_string(file).unwrap_or_default());
    let (version, size) = (Version::new(release), size.to_owned());
    columns.retain(|(other, of_size), _| {
        *other == version || other.short() != version.short() || *of_size != size
    });
    let column = columns.entry((version, size)).or_default();
    column.insert(RELEASE.to_owned(), release.to_owned());
    column.insert(DATE.to_owned(), date.to_owned());
    for outcome in outcomes {
        column.insert(row(&outcome.suite, &outcome.account), cell(outcome));
    }
    fs::write(file, text(&columns)).with_context(|| format!("could not write {file:?}"))
}

fn row(suite: &str, account: &str) -> String {
    format!("{suite}, as {account}")
}

fn cell(outcome: &Outcome) -> String {
    match (&outcome.failure, outcome.skipped.len()) {
        (Some(_), _) => "failed".to_owned(),
        (None, 0) => outcome.passed.to_string(),
        (None, skipped) => format!("{}, {skipped} skipped", outcome.passed),
    }
}

/// What stands for a suite that has not run.
const NOT_RUN: &str = "–";

fn read(text: &str) -> Columns {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    // After the head and the line of dashes.
    let rows: Vec<Vec<String>> = text.lines().skip(2).map(cells).collect();
    let releases = rows.iter().find(|row| row[0] == RELEASE).into_iter().flatten();
    // `6.12` or `6.12 (1 CPU, 512 MB)`
    let head: Vec<String> = text.lines().take(1).flat_map(cells).collect();
    let columns = releases.enumerate().skip(1).map(|(number, release)| {
        let cells = rows.iter().map(|row| (row[0].clone(), row[number].clone()));
        let size = head[number].split_once(" (").map_or("", |(_, size)| size.trim_end_matches(')'));
        let cells = cells.filter(|(_, cell)| cell != NOT_RUN).collect();
        ((Version::new(release), size.to_owned()), cells)
    });
    columns.collect()
}

fn text(columns: &Columns) -> String {
    let suites = SUITES.iter().flat_map(|suite| {
        let accounts = ACCOUNTS.iter().filter(|account| suite.is_for(**account));
        accounts.map(|account| row(suite.name, account.name()))
    });
    let has_run = |row: &String| columns.values().any(|column| column.contains_key(row));
    let rows = suites.chain([RELEASE, DATE].map(str::to_owned)).filter(has_run);
    let versions = columns.keys().map(|(version, size)| match size.as_str() {
        "" => format!(" {} |", version.short()),
        size => format!(" {} ({size}) |", version.short()),
    });
    let versions: String = versions.collect();
    let mut text = format!("| tests | {} |\n", versions.trim().trim_end_matches(" |"));
    text += &format!("|---|{}\n", "---|".repeat(columns.len()));
    for row in rows {
        let cell = |column: &BTreeMap<String, String>| {
            column.get(&row).map_or(NOT_RUN, |cell| cell).to_owned()
        };
        let cells: Vec<String> = columns.values().map(cell).collect();
        text += &format!("| {row} | {} |\n", cells.join(" | "));
    }
    text
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

    /// README.md and the book's page have their kernels from one table.
    #[test]
    fn readme_names_the_kernels_of_the_table() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = |file: &str| fs::read_to_string(checkout.join(file)).unwrap();
        let columns = read(&text("book/kernels.md"));
        let usual = columns.keys().filter(|(_, size)| size.is_empty());
        let versions: Vec<String> = usual.map(|(version, _)| version.short()).collect();
        assert!(!versions.is_empty(), "the table has columns");
        let named = format!("Linux {}", versions.join(", "));
        assert!(text("README.md").contains(&named), "README.md does not name {named:?}");
    }

    #[test]
    fn a_run_replaces_its_own_cells_only() {
        let folder = std::env::temp_dir().join(format!("kernels-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("kernels.md");
        let doctor = |passed| outcome("doctor", "root", passed, &[]);
        let hostile = outcome("hostile", "user", 7, &["a"]);
        enter(&file, "6.12.1+deb13-amd64", "", &[doctor(28), hostile], "2026-01-01").unwrap();
        enter(&file, "6.1.0-49-amd64", "", &[doctor(5)], "2026-01-01").unwrap();
        enter(&file, "6.1.0-50-amd64", "", &[doctor(27)], "2026-01-02").unwrap();
        enter(&file, "6.12.1+deb13-amd64", "", &[doctor(29)], "2026-01-03").unwrap();
        enter(&file, "6.12.1+deb13-amd64", "1 CPU", &[doctor(3)], "2026-01-04").unwrap();
        enter(&file, "6.12.2+deb13-amd64", "1 CPU", &[doctor(4)], "2026-01-05").unwrap();
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_dir_all(folder).unwrap();
        let wanted = "| tests | 6.1 | 6.12 | 6.12 (1 CPU) |\n\
                      |---|---|---|---|\n\
                      | doctor, as root | 27 | 29 | 4 |\n\
                      | hostile, as user | – | 7, 1 skipped | – |\n\
                      | release | 6.1.0-50-amd64 | 6.12.1+deb13-amd64 | 6.12.2+deb13-amd64 |\n\
                      | run on | 2026-01-02 | 2026-01-03 | 2026-01-05 |\n";
        assert_eq!(text, wanted);
    }
}
