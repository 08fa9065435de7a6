//! `results.json` of Gradescope, as <https://gradescope-autograders.readthedocs.io/en/latest/specs/> describes
//! it (read in November 2026, in the repository gradescope/autograder_samples).
//!
//! Where a program could not be judged, a student keeps the results of the submission before this one, which
//! Gradescope hands to an autograder in `submission_metadata.json`. Without one there is no `results.json`:
//! Gradescope then says that the autograder failed, which is no score either.

use serde_json::{Value, json};

use super::{Student, Total, clean, in_lines, shown, title};
use crate::points::Points;
use crate::result::{Graded, Step, StepOutcome};
use crate::texts::{Level, step_in_lines};

/// The file, or `None` if there must be none. `metadata` is `submission_metadata.json`.
pub fn results(student: &Student, level: Level, metadata: Option<&Value>) -> Option<Value> {
    let (earned, _) = match student.total() {
        Total::Points { earned, possible } => (earned, possible),
        Total::Open(why) => return previous(metadata?, &why),
    };
    let programs = || student.programs.values();
    let about: Vec<_> = programs().map(|graded| in_lines(graded, level)).collect();
    let seconds: f64 = programs().map(|it| it.seconds.build + it.seconds.check).sum();
    Some(json!({
        "score": earned,
        "execution_time": seconds,
        "output": about.join("\n"),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": programs().flat_map(|graded| tests(graded, level)).collect::<Vec<_>>(),
        "extra_data": { "programs": programs().map(provenance).collect::<Vec<_>>() },
    }))
}

fn tests(graded: &Graded, level: Level) -> impl Iterator<Item = Value> {
    // A test without a score and without a status would be shown as if it had one.
    let steps = shown(graded).filter(|step| step.points.earned.is_some());
    steps.map(move |step| {
        let mut test = json!({
            "name": format!("{}: {}", graded.chapter, title(step)),
            "number": number(graded, step),
            "status": if step.outcome == StepOutcome::Passed { "passed" } else { "failed" },
            "output": clean(&step_in_lines(step, level)),
            "extra_data": { "outcome": step.outcome.word(), "seconds": step.seconds },
        });
        if step.points.possible > Points::ZERO {
            test["score"] = json!(step.points.earned);
            test["max_score"] = json!(step.points.possible);
        }
        test
    })
}

/// `2.4`: text, as a number would lose the zero of `2.10`.
fn number(graded: &Graded, step: &Step) -> String {
    let digits = graded.chapter.trim_start_matches("ch").split('-').next().unwrap_or_default();
    format!("{}.{}", digits.trim_start_matches('0'), step.step)
}

fn provenance(graded: &&Graded) -> Value {
    json!({
        "chapter": graded.chapter,
        "outcome": graded.outcome.word(),
        "course": graded.provenance.course,
        "graded": graded.provenance.graded,
    })
}

/// The results of the submission before this one, and why they are still those; `None` if there was none.
pub fn previous(metadata: &Value, why: &str) -> Option<Value> {
    let before = metadata["previous_submissions"].as_array()?;
    let mut results =
        before.iter().rev().map(|it| &it["results"]).find(|it| it.is_object())?.clone();
    let message = format!(
        "This submission was not judged, which costs nothing: the results are those of the one before it.\n{why}\n"
    );
    // The first line repeats what an earlier one has said already.
    let output = results["output"].as_str().unwrap_or_default();
    let output = output.rsplit(SEPARATOR).next().unwrap_or_default();
    results["output"] = json!(format!("{message}{SEPARATOR}{output}"));
    Some(results)
}

/// Between the message and the output that was kept.
const SEPARATOR: &str = "\n— the submission before: —\n";
