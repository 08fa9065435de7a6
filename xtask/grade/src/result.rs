//! What came of one program of one submission: a JSON file, `results/KEY/CHAPTER.json`.
//!
//! `result.schema.json` beside this package describes it to others. Fields may be added while
//! [`SCHEMA`] is 1, and none is removed or changes its meaning.

use serde::{Deserialize, Serialize};

use crate::points::Points;

/// The number of the format.
pub const SCHEMA: u32 = 1;

/// One program of one submission.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Graded {
    pub schema: u32,
    /// The student's: the name of the folder or file that was handed in.
    pub key: String,
    /// `ch02-unshare`
    pub chapter: String,
    pub outcome: Outcome,
    pub points: Score,
    /// Why there is no verdict on the program; absent if all steps were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// All steps of the chapter, in order, also those that were not run.
    pub steps: Vec<Step>,
    /// Which limits the compiler or the program has reached.
    pub limits: Vec<Limit>,
    pub seconds: Seconds,
    pub provenance: Provenance,
}

/// How a program turned out.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All steps that make a chapter solved.
    Passed,
    /// At least one of them failed.
    Failed,
    /// This machine could not run the program or one of those steps. It costs nothing: there are no
    /// points, neither earned nor lost.
    Cannot,
    /// The check itself broke: likewise no points, until a teacher has looked.
    Broken,
    /// The program does not compile.
    NotBuilt,
    /// What was handed in cannot be read as a program of this chapter.
    Invalid,
}

impl Outcome {
    /// As JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Cannot => "cannot",
            Outcome::Broken => "broken",
            Outcome::NotBuilt => "not-built",
            Outcome::Invalid => "invalid",
        }
    }

    /// Whether the program is judged. If not, no format may show a grade for it: an earlier one stays.
    pub fn is_judged(self) -> bool {
        !matches!(self, Outcome::Cannot | Outcome::Broken)
    }
}

/// The points of a program.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Score {
    /// `null` if a step that is worth something could not be judged: no number stands for that.
    pub earned: Option<Points>,
    pub possible: Points,
}

/// Why there is no verdict on the program, or none on some steps.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// In one line, for the student as well.
    pub cause: String,
    /// What to do about it; may be empty.
    pub remedy: String,
    /// What the compiler or the machine said, cut to 16 KiB; may be empty.
    pub said: String,
}

/// One step.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Step {
    /// From 1, unique in the chapter.
    pub step: u32,
    /// Whether a chapter is solved without it.
    pub further: bool,
    /// `command has a uts namespace of its own`
    pub name: String,
    pub outcome: StepOutcome,
    pub points: Score,
    /// What the step wants to see and has seen, in lines.
    pub wanted: String,
    pub saw: String,
    /// What the program printed, cut to 16 KiB each.
    pub stdout: String,
    pub stderr: String,
    /// A known mistake, its cause and what to do; empty if none fits. With `cannot`, cause and remedy
    /// are about the machine.
    pub mistake: String,
    pub cause: String,
    pub remedy: String,
    /// The call of the recorded run that went wrong, if one is known; otherwise empty.
    pub call: String,
    /// What this machine could not look at, and why; mostly empty.
    pub skipped: String,
    /// Whether the step was run again because two runs differed. What two of three runs said counts.
    pub unsteady: bool,
    pub seconds: f64,
}

/// How a step turned out.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    Passed,
    Failed,
    Cannot,
    Broken,
    /// The program was not built, or is invalid.
    NotRun,
}

impl StepOutcome {
    /// As JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            StepOutcome::Passed => "passed",
            StepOutcome::Failed => "failed",
            StepOutcome::Cannot => "cannot",
            StepOutcome::Broken => "broken",
            StepOutcome::NotRun => "not-run",
        }
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Of time.
    Time,
    Memory,
    Processes,
    /// Of what it may print.
    Output,
    /// Of the size of files.
    Size,
}

impl Limit {
    /// As JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Limit::Time => "time",
            Limit::Memory => "memory",
            Limit::Processes => "processes",
            Limit::Output => "output",
            Limit::Size => "size",
        }
    }
}

/// How long it took.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Seconds {
    pub build: f64,
    pub check: f64,
}

/// What the result was made from. Regrading compares it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Provenance {
    pub course: Course,
    /// `6.1.0-18-amd64`
    pub kernel: String,
    /// `rustc 1.88.0 (…)`
    pub toolchain: String,
    /// A digest of what `cargo xtask doctor` finds on the machine.
    pub doctor: String,
    pub submission: Submission,
    /// When, in UTC: `2026-11-30T15:40:00Z`.
    pub graded: String,
}

/// The revision of the course.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Course {
    /// The commit, if the course is a git checkout; otherwise empty. `+` follows if files were changed.
    pub revision: String,
    /// Of the checks and of what they are built from.
    pub digest: String,
    /// Of the scheme of points.
    pub scheme: String,
    /// Of the private mistakes and steps that were laid over the course; empty without any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub with: String,
    /// Of the table that says who has which variant; empty without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variants: String,
}

/// What was handed in.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Submission {
    /// Its name in the folder of submissions.
    pub name: String,
    /// Of the sources of this chapter; empty if it is invalid.
    pub digest: String,
    /// The newest of the sources' times in UTC; empty if it is unknown.
    pub time: String,
}

impl Graded {
    /// Sums the points of the steps up. A step that is worth something and could not be judged leaves
    /// the sum open.
    pub fn score(steps: &[Step]) -> Score {
        Score {
            earned: steps.iter().map(|step| step.points.earned).sum(),
            possible: steps.iter().map(|step| step.points.possible).sum(),
        }
    }

    /// Whether both say the same of a program: outcomes, points and mistakes. Texts may quote values
    /// that are drawn anew in each run.
    pub fn agrees_with(&self, other: &Graded) -> bool {
        let facts = |graded: &Graded| {
            let steps = graded.steps.iter();
            let steps = steps.map(|step| (step.step, step.outcome, step.points));
            (graded.outcome, graded.points, steps.collect::<Vec<_>>())
        };
        (&self.key, &self.chapter) == (&other.key, &other.chapter) && facts(self) == facts(other)
    }

    /// # Errors
    ///
    /// The text is no result, or one of another format.
    pub fn from_json(text: &str) -> Result<Graded, String> {
        let graded: Graded = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match graded.schema {
            SCHEMA => Ok(graded),
            other => Err(format!("its format is {other}, and this program knows {SCHEMA}")),
        }
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("numbers and text are JSON");
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> jsonschema::Validator {
        let schema = serde_json::from_str(include_str!("../result.schema.json")).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    }

    fn step(outcome: StepOutcome, earned: Option<f64>) -> Step {
        let earned = earned.map(|points| Points::new(points).unwrap());
        Step {
            step: 1,
            further: false,
            name: "command has a uts namespace of its own".into(),
            outcome,
            points: Score { earned, possible: Points::ONE },
            wanted: String::new(),
            saw: String::new(),
            stdout: String::new(),
            stderr: String::new(),
            mistake: String::new(),
            cause: String::new(),
            remedy: String::new(),
            call: String::new(),
            skipped: String::new(),
            unsteady: false,
            seconds: 0.031,
        }
    }

    fn graded(outcome: Outcome, steps: Vec<Step>) -> Graded {
        Graded {
            schema: SCHEMA,
            key: "alice".into(),
            chapter: "ch02-unshare".into(),
            outcome,
            points: Graded::score(&steps),
            trouble: (!outcome.is_judged()).then(Trouble::default),
            steps,
            limits: vec![Limit::Time],
            seconds: Seconds::default(),
            provenance: Provenance {
                graded: "2026-11-30T15:40:00Z".into(),
                ..Provenance::default()
            },
        }
    }

    fn examples() -> [Graded; 6] {
        let all = [
            (Outcome::Passed, StepOutcome::Passed, Some(1.0)),
            (Outcome::Failed, StepOutcome::Failed, Some(0.0)),
            (Outcome::Cannot, StepOutcome::Cannot, None),
            (Outcome::Broken, StepOutcome::Broken, None),
            (Outcome::NotBuilt, StepOutcome::NotRun, Some(0.0)),
            (Outcome::Invalid, StepOutcome::NotRun, Some(0.0)),
        ];
        all.map(|(outcome, of_step, earned)| graded(outcome, vec![step(of_step, earned)]))
    }

    #[test]
    fn every_outcome_is_as_the_schema_says() {
        let schema = schema();
        for graded in examples() {
            let json = graded.to_json();
            let value = serde_json::from_str(&json).unwrap();
            let faults: Vec<_> =
                schema.iter_errors(&value).map(|fault| fault.to_string()).collect();
            assert_eq!(faults, [""; 0], "{json}");
            assert_eq!(value["outcome"], graded.outcome.word());
            assert_eq!(value["steps"][0]["outcome"], graded.steps[0].outcome.word());
            assert_eq!(Graded::from_json(&json).unwrap(), graded);
        }
    }

    #[test]
    fn the_schema_refuses_what_is_no_result() {
        let schema = schema();
        let value: serde_json::Value = serde_json::from_str(&examples()[0].to_json()).unwrap();
        let without = |key: &str| {
            let mut value = value.clone();
            value.as_object_mut().unwrap().remove(key);
            value
        };
        for key in value.as_object().unwrap().keys() {
            assert!(!schema.is_valid(&without(key)), "{key}");
        }
        let mut points = value.clone();
        points["points"]["earned"] = (-1).into();
        let mut outcome = value.clone();
        outcome["outcome"] = "perhaps".into();
        // A grade for what was not judged.
        let mut cannot: serde_json::Value = serde_json::from_str(&examples()[2].to_json()).unwrap();
        cannot["points"]["earned"] = 1.into();
        for wrong in [points, outcome, cannot] {
            assert!(!schema.is_valid(&wrong), "{wrong}");
        }
    }

    #[test]
    fn what_was_not_judged_has_no_points() {
        let steps = [step(StepOutcome::Passed, Some(1.0)), step(StepOutcome::Cannot, None)];
        let score = Graded::score(&steps);
        assert_eq!((score.earned, score.possible.number()), (None, 2.0));
        assert_eq!(Graded::score(&steps[..1]).earned, Some(Points::ONE));
    }

    #[test]
    fn a_result_of_another_format_is_refused() {
        let json = examples()[0].to_json();
        let newer = json.replace("\"schema\": 1", "\"schema\": 2");
        assert!(Graded::from_json(&newer).unwrap_err().contains("format is 2"));
        assert!(Graded::from_json(&json[..json.len() / 2]).is_err());
    }

    #[test]
    fn two_runs_agree_if_the_grade_is_the_same() {
        let [passed, failed, ..] = examples();
        let mut later = passed.clone();
        later.steps[0].saw = "another name".into();
        later.provenance.graded = "2026-12-01T00:00:00Z".into();
        assert!(passed.agrees_with(&later) && !passed.agrees_with(&failed));
        later.key = "bob".into();
        assert!(!passed.agrees_with(&later));
    }
}
