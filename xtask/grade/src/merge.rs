//! Shards and repeated runs, brought together in one folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use xtask::shared::failure::Result;
use xtask::shared::screen::{self, plain};

use crate::result::Graded;
use crate::store::{Store, read_result, results_in};
use crate::texts::Level;

/// Brings the results of all these folders together in `out`, which may have some, too. The order does not
/// matter. Where two say something else of one program, neither is taken, and the exit status is 1.
///
/// # Errors
///
/// A folder has no results, one of them cannot be read, or the folder cannot be written to.
pub fn merge(folders: &[PathBuf], out: &std::path::Path, level: Level) -> Result {
    let store = Store::open(out, level)?;
    let mut all: BTreeMap<(String, String), Merged> = BTreeMap::new();
    let mut unreadable = 0;
    let earlier = results_in(out).unwrap_or_default();
    let mut files = earlier;
    for folder in folders {
        files.extend(results_in(folder)?);
    }
    for file in files {
        match read_result(&file) {
            Ok(graded) => {
                let name = (graded.key.clone(), graded.chapter.clone());
                all.entry(name).or_default().add(graded);
            }
            Err(error) => {
                unreadable += 1;
                let file = plain(&file.display().to_string());
                screen::warn(&format!("error: `{file}` is no result: {error}\n"));
            }
        }
    }
    let (mut kept, mut conflicts) = (0, 0);
    for ((key, chapter), merged) in &all {
        match merged.chosen() {
            Ok(graded) => {
                store.keep(graded)?;
                kept += 1;
            }
            Err(differing) => {
                conflicts += 1;
                let said: Vec<_> = differing.iter().map(|graded| in_words(graded)).collect();
                screen::warn(&format!(
                    "error: {} {}: {}\n",
                    plain(key),
                    plain(chapter),
                    said.join(", and ")
                ));
            }
        }
    }
    screen::print(&format!("{kept} results\n"));
    if conflicts > 0 {
        screen::warn(&format!(
            "error: the runs disagree about {conflicts} programs, and none of these results is taken\n\
             help: grade them again with `--again KEY` in one of the folders, and remove the other's\n"
        ));
    }
    Ok(if conflicts + unreadable > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// All results of one program.
#[derive(Default)]
struct Merged(Vec<Graded>);

impl Merged {
    fn add(&mut self, graded: Graded) {
        self.0.push(graded);
    }

    /// The result that stands for all: a verdict before none, and of equal ones the oldest.
    ///
    /// # Errors
    ///
    /// Two that differ.
    fn chosen(&self) -> std::result::Result<&Graded, [&Graded; 2]> {
        let mut judged: Vec<&Graded> =
            self.0.iter().filter(|graded| graded.outcome.is_judged()).collect();
        if judged.is_empty() {
            judged = self.0.iter().collect();
        }
        judged.sort_by_cached_key(|graded| (graded.provenance.graded.clone(), graded.to_json()));
        let first = judged[0];
        let is_other = |graded: &&&Graded| {
            first.outcome.is_judged()
                && (!graded.agrees_with(first)
                    || graded.provenance.submission.digest != first.provenance.submission.digest)
        };
        match judged.iter().find(is_other) {
            Some(other) => Err([first, other]),
            None => Ok(first),
        }
    }
}

fn in_words(graded: &Graded) -> String {
    let earned = graded.points.earned.map_or("no".to_owned(), |earned| earned.to_string());
    let (outcome, time) = (graded.outcome.word(), &graded.provenance.graded);
    format!("{outcome} with {earned} points at {time} of {}", graded.provenance.submission.digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::Points;
    use crate::result::{Outcome, Provenance, SCHEMA, Score, Seconds};

    fn graded(outcome: Outcome, points: Option<f64>, time: &str) -> Graded {
        let earned = points.map(|points| Points::new(points).unwrap());
        Graded {
            schema: SCHEMA,
            key: "alice".into(),
            chapter: "ch02-unshare".into(),
            outcome,
            points: Score { earned, possible: Points::ONE },
            trouble: None,
            steps: vec![],
            limits: vec![],
            seconds: Seconds::default(),
            provenance: Provenance { graded: time.into(), ..Provenance::default() },
        }
    }

    fn chosen(all: Vec<Graded>) -> Option<String> {
        let backwards = Merged(all.iter().rev().cloned().collect());
        let forwards = Merged(all);
        let time = |merged: &Merged| merged.chosen().ok().map(|it| it.provenance.graded.clone());
        assert_eq!(time(&forwards), time(&backwards), "the order does not matter");
        time(&forwards)
    }

    #[test]
    fn a_verdict_counts_before_none_and_two_must_agree() {
        let passed = |time| graded(Outcome::Passed, Some(1.0), time);
        let failed = graded(Outcome::Failed, Some(0.0), "3");
        let cannot = |time| graded(Outcome::Cannot, None, time);
        assert_eq!(chosen(vec![passed("2"), passed("1"), cannot("0")]), Some("1".into()));
        assert_eq!(chosen(vec![cannot("2"), cannot("1")]), Some("1".into()));
        assert_eq!(chosen(vec![passed("1"), failed]), None);
        let mut other = passed("2");
        other.provenance.submission.digest = "sha256:1".into();
        assert_eq!(chosen(vec![passed("1"), other]), None);
    }
}
