//! `result.json` of Classroom 50, as `schemas/result-v1.schema.json` in foundation50/classroom50 describes it
//! (read in November 2026).
//!
//! Its numbers are integers. The sum is rounded once, from the exact sum; each step is rounded by itself, so
//! the steps need not add up to it where a scheme has halves.
//!
//! Where a program could not be judged there is no file. An `autograder.py` that then ends with another status
//! than 0 is an error there and no score.

use serde_json::{Value, json};

use super::{Student, Total, clean, shown, title};
use crate::result::StepOutcome;
use crate::texts::{Level, step_in_lines};

/// Which submission it is: what Classroom 50 tells an autograder in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub classroom: String,
    pub assignment: String,
    /// `individual`, `group` or `team`
    pub assignment_type: String,
    pub owner: String,
    /// `submit/…`
    pub submission: String,
    pub commit: String,
    pub release: String,
    pub review: String,
}

impl Identity {
    /// The names of the variables, in the order of the fields.
    pub const VARIABLES: [&str; 8] = [
        "CLASSROOM",
        "ASSIGNMENT",
        "ASSIGNMENT_TYPE",
        "OWNER",
        "SUBMISSION_TAG",
        "COMMIT_URL",
        "RELEASE_URL",
        "REVIEW_URL",
    ];

    /// # Errors
    ///
    /// Which variable is not set, or has not the form that Classroom 50 gives it.
    pub fn from_variables(
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<Identity, &'static str> {
        let mut values = Vec::new();
        for name in Identity::VARIABLES {
            let value = value(name).filter(|value| !value.is_empty()).ok_or(name)?;
            let has_form = match name {
                "ASSIGNMENT_TYPE" => ["individual", "group", "team"].contains(&value.as_str()),
                "SUBMISSION_TAG" => value.starts_with("submit/"),
                _ => true,
            };
            values.push(if has_form { value } else { return Err(name) });
        }
        let [classroom, assignment, assignment_type, owner, submission, commit, release, review] =
            values.try_into().expect("a value for each variable");
        Ok(Identity {
            classroom,
            assignment,
            assignment_type,
            owner,
            submission,
            commit,
            release,
            review,
        })
    }
}

/// The file, or `None` if there must be none.
pub fn result(student: &Student, identity: &Identity, level: Level) -> Option<Value> {
    let Total::Points { earned, possible } = student.total() else { return None };
    let programs = || student.programs.values();
    let graded = programs().map(|graded| graded.provenance.graded.as_str()).max()?;
    let handed_in = programs().map(|graded| graded.provenance.submission.time.as_str()).max()?;
    let tests = programs().flat_map(|graded| {
        let steps = shown(graded).filter(|step| step.points.earned.is_some());
        steps.map(|step| {
            json!({
                "test-name": format!("{}: {}", graded.chapter, title(step)),
                "passed": step.outcome == StepOutcome::Passed,
                "score": step.points.earned.map(|earned| earned.whole()),
                "max-score": step.points.possible.whole(),
                "output": clean(&step_in_lines(step, level)),
            })
        })
    });
    Some(json!({
        "schema": "classroom50/result/v1",
        "classroom": identity.classroom,
        "assignment": identity.assignment,
        "assignment_type": identity.assignment_type,
        "owner": identity.owner,
        "submission": identity.submission,
        "commit": identity.commit,
        "release": identity.release,
        "review": identity.review,
        // Their runner replaces both.
        "datetime": if handed_in.is_empty() { graded } else { handed_in },
        "graded_at": graded,
        "score": earned.whole(),
        "max-score": possible.whole(),
        "tests": tests.collect::<Vec<_>>(),
    }))
}
