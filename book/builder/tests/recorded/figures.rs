//! Every figure of a page is what a run gives.

use std::fs;
use std::path::{Path, PathBuf};

use book::figure::{Figure, figures};
use book::needs::{Programs, Recording};
use book::record::{pages, programs};

use crate::skip::may_skip;
use crate::{exception, root, side_by_side};

/// What is wrong with a figure whose trace is stored below `root`.
fn fault(figure: &Figure, root: &Path, programs: &Programs) -> Option<String> {
    let stored = match figure.stored_trace(root) {
        Ok(stored) => stored,
        Err(error) => return Some(format!("{}: {error:#}", figure.id)),
    };
    match figure.record(programs) {
        Ok(Recording::Made(trace)) => match figure.is_same(&stored, &trace) {
            Ok(true) => None,
            Ok(false) => Some(format!("{}: a run gives another figure", figure.id)),
            Err(error) => Some(format!("{}: {error:#}", figure.id)),
        },
        Ok(Recording::Skipped { need, reason }) => {
            let exception = need.as_ref().and_then(exception);
            may_skip(exception, &format!("{}: {reason}", figure.id)).err()
        }
        Err(error) => Some(format!("{}: {error:#}", figure.id)),
    }
}

/// As with sessions, one that differs gets a second chance: on a machine that is very busy, what
/// its `sleep 0.3` waits for may take longer.
fn fault_twice(figure: &Figure, root: &Path, programs: &Programs) -> Option<String> {
    fault(figure, root, programs)?;
    fault(figure, root, programs)
}

#[test]
fn every_figure_is_true() {
    slow!();
    let programs = programs(&root()).unwrap();
    let mut all = Vec::new();
    for page in pages(&root()).unwrap() {
        let name = page.file_stem().unwrap().to_string_lossy().into_owned();
        let found = figures(&name, &fs::read_to_string(&page).unwrap());
        all.extend(found.unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    assert!(!all.is_empty(), "no page has a figure: were they looked for in the right place?");
    let faults = side_by_side(&all, |figure| fault_twice(figure, &root(), &programs));
    assert!(
        faults.is_empty(),
        "{}\nhelp: where the figures are wrong, `cargo run -p book -- record` draws them anew",
        faults.join("\n")
    );
    // A trace that belongs to no figure would be compared with nothing.
    let mut orphans: Vec<PathBuf> = fs::read_dir(root().join("book/traces"))
        .unwrap()
        .map(|entry| Path::new("book/traces").join(entry.unwrap().file_name()))
        .collect();
    orphans.retain(|file| all.iter().all(|figure| figure.file() != *file));
    assert!(orphans.is_empty(), "traces of no figure: {orphans:?}");
}

#[test]
fn a_figure_that_went_stale_is_found() {
    let page = |flag: &str| {
        let fence = "```figure,root-lab,name=a,view=membership,kinds=uts+ipc,calls=unshare";
        format!("{fence}\n# unshare {flag} true\ncaption: One.\n```\n")
    };
    let read = |page: &str| figures("planted", page).unwrap().remove(0);
    let (uts, ipc) = (read(&page("--uts")), read(&page("--ipc")));
    let trace = match uts.record(&[]).unwrap() {
        Recording::Made(trace) => trace,
        Recording::Skipped { reason, .. } => return skip!("a stale figure: {reason}"),
    };
    let repo = tempfile::tempdir().unwrap();
    fs::create_dir_all(repo.path().join("book/traces")).unwrap();
    fs::write(repo.path().join(uts.file()), trace.to_json_lines()).unwrap();
    assert_eq!(fault(&uts, repo.path(), &[]), None);
    let stale = fault(&ipc, repo.path(), &[]).unwrap();
    assert_eq!(stale, "planted-a: a run gives another figure");
    fs::remove_file(repo.path().join(uts.file())).unwrap();
    assert!(fault(&uts, repo.path(), &[]).unwrap().contains("planted-a.jsonl"));
}
