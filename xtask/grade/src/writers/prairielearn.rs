//! `results.json` of PrairieLearn's external grading, as `docs/externalGrading.md` in PrairieLearn/PrairieLearn
//! describes it (read in November 2026).
//!
//! What was not judged is not `gradable`: it has no score and takes no attempt. The same is what PrairieLearn
//! wants of a program that does not compile or cannot be read; there `format_errors` says why.

use serde_json::{Value, json};

use super::{Student, Total, clean, cut, in_lines, shown, title};
use crate::result::{Graded, Outcome, StepOutcome};
use crate::texts::{Level, step_in_lines};

/// Bytes of the file: PrairieLearn takes 1 MB.
const MOST: usize = 1_000_000;

/// The file.
pub fn results(student: &Student, level: Level) -> Value {
    let mut most = 64 * 1024;
    loop {
        let results = results_with(student, level, most);
        if results.to_string().len() <= MOST || most < 64 {
            return results;
        }
        most /= 2;
    }
}

/// With at most so many bytes of each text.
fn results_with(student: &Student, level: Level, most: usize) -> Value {
    let programs = || student.programs.values();
    let about: Vec<_> = programs().map(|graded| cut(&in_lines(graded, level), most)).collect();
    let (earned, possible) = match student.total() {
        Total::Open(why) => {
            let message = format!("This submission was not judged, which costs nothing. {why}");
            return json!({ "gradable": false, "message": message });
        }
        Total::Points { earned, possible } => (earned, possible),
    };
    let is_unreadable =
        |graded: &&Graded| matches!(graded.outcome, Outcome::NotBuilt | Outcome::Invalid);
    if programs().all(is_unreadable) {
        return json!({
            "gradable": false,
            "message": "No program could be checked.",
            "format_errors": about,
        });
    }
    let all_passed = programs().all(|graded| graded.outcome == Outcome::Passed);
    // Where nothing is worth a point, all that can be had is the verdict.
    let score = earned.share_of(possible).unwrap_or(if all_passed { 1.0 } else { 0.0 });
    let tests = programs().flat_map(|graded| {
        let steps = shown(graded).filter(|step| step.points.earned.is_some());
        steps.map(move |step| {
            json!({
                "name": format!("{}: {}", graded.chapter, title(step)),
                "description": step.outcome.word(),
                "points": step.points.earned,
                "max_points": step.points.possible,
                "message": if step.outcome == StepOutcome::Passed { "passed" } else { "not passed" },
                "output": cut(&clean(&step_in_lines(step, level)), most),
            })
        })
    });
    json!({
        "gradable": true,
        "score": score,
        "message": if all_passed { "All programs passed." } else { "Not all programs passed." },
        "output": about.join("\n"),
        "tests": tests.collect::<Vec<_>>(),
    })
}
