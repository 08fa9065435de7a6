//! The steps of a chapter, run on a program of a submission.

use std::path::Path;
use std::thread;

use harness::verdict::{Outcome as Verdict, Verdict as Said};
use xtask::shared::failure::{Failure, Result};
use xtask::shared::steps::{self, Other, Step as Asked, StepRun};

use crate::course::Graded as Chapter;
use crate::digest::Digest;
use crate::points::{Points, Scheme};
use crate::result::{Limit, Outcome, Score, Step, StepOutcome};

/// Bytes of each text that a result has of a program.
const KEPT: usize = 16 * 1024;

/// Runs the steps at once, as `cargo xtask check` does. A further step is run only if it is worth something.
/// The first core step and the first further step that fail are recorded, for what their diagnosis takes.
///
/// What the program is given is drawn from `seed`. `variant` is a file with the student's variant.
///
/// # Errors
///
/// A check could not be started.
pub fn check(
    chapter: &Chapter,
    program: &Path,
    scheme: &Scheme,
    seed: &[u8; 16],
    variant: Option<&Path>,
) -> Result<Vec<Step>> {
    // The recorded run of a step and the run that decides have the inputs of its first.
    let other = |step: &Asked| {
        let mut of_step = Digest::default();
        of_step.add(seed);
        of_step.add(&step.name);
        Some(Other {
            program: Some(program),
            seed: Some(of_step.bytes()),
            variant,
            ..Other::default()
        })
    };
    let name = &chapter.chapter.name;
    let is_run = |step: &Asked| {
        !step.further || scheme.worth(name, step.number, step.further) > Points::ZERO
    };
    let runs: Vec<Result<Option<StepRun>>> = thread::scope(|scope| {
        let start = |step| {
            let other = &other;
            let run = move || {
                let run = is_run(step).then(|| steps::run_step(&chapter.check, step, other(step)));
                run.transpose()
            };
            thread::Builder::new().spawn_scoped(scope, run)
        };
        let threads: Vec<_> = chapter.steps.iter().map(start).collect();
        let join = |thread: std::io::Result<thread::ScopedJoinHandle<_>>| match thread {
            Ok(thread) => thread.join().expect("running a step does not panic"),
            Err(error) => Err(Failure::thread(&error)),
        };
        threads.into_iter().map(join).collect()
    });
    let mut recorded = [false; 2];
    let mut graded = Vec::new();
    for (step, run) in chapter.steps.iter().zip(runs) {
        let Some(mut run) = run? else {
            graded.push(blank(name, step, StepOutcome::NotRun, scheme));
            continue;
        };
        let mut unsteady = false;
        let is_first = !recorded[usize::from(step.further)];
        if run.outcome() == Verdict::Failed && is_first {
            (run, unsteady) = again(chapter, step, other(step), run)?;
            recorded[usize::from(step.further)] = run.outcome() == Verdict::Failed;
        }
        graded.push(of_run(name, step, &run, unsteady, scheme));
    }
    Ok(graded)
}

/// Runs a failed step once more, with the recorder beside it. If that ends in another way, the program
/// does so, or the machine was busy: a third run, without the recorder, decides.
fn again(
    chapter: &Chapter,
    step: &Asked,
    other: Option<Other>,
    first: StepRun,
) -> Result<(StepRun, bool)> {
    let recorded = steps::record_step(&chapter.check, step, other, Path::new("/dev/null"))?;
    if recorded.outcome() == first.outcome() {
        let is_the_same = recorded.verdict.is_the_same(&first.verdict);
        return Ok((if is_the_same { recorded } else { first }, false));
    }
    let third = steps::run_step(&chapter.check, step, other)?;
    Ok((if third.outcome() == first.outcome() { first } else { third }, true))
}

/// The steps of a program that cannot be run: nothing is earned.
pub fn not_run(chapter: &Chapter, scheme: &Scheme) -> Vec<Step> {
    let asked = chapter.steps.iter();
    asked.map(|step| blank(&chapter.chapter.name, step, StepOutcome::NotRun, scheme)).collect()
}

/// The steps of a program of which this machine can say nothing.
pub fn cannot(chapter: &Chapter, scheme: &Scheme) -> Vec<Step> {
    let asked = chapter.steps.iter();
    asked.map(|step| blank(&chapter.chapter.name, step, StepOutcome::Cannot, scheme)).collect()
}

/// What the steps make of a program: a machine that cannot run one that counts has no verdict on it.
pub fn outcome(steps: &[Step]) -> Outcome {
    let counts = |step: &&Step| !step.further || step.points.possible > Points::ZERO;
    let any = |outcome| steps.iter().filter(counts).any(|step| step.outcome == outcome);
    let failed = |step: &Step| !step.further && step.outcome != StepOutcome::Passed;
    if any(StepOutcome::Broken) {
        Outcome::Broken
    } else if any(StepOutcome::Cannot) {
        Outcome::Cannot
    } else if steps.is_empty() || steps.iter().any(failed) {
        Outcome::Failed
    } else {
        Outcome::Passed
    }
}

/// The limits that a program has reached, as its steps saw it.
pub fn limits(steps: &[Step]) -> Vec<Limit> {
    // As the harness says it of the end of a program.
    const SIGNS: [(&str, Limit); 4] = [
        (": still running after ", Limit::Time),
        (" MiB of memory", Limit::Memory),
        (": stopped: it had too many processes", Limit::Processes),
        (": stopped: it printed more than ", Limit::Output),
    ];
    let failed = steps.iter().filter(|step| step.outcome == StepOutcome::Failed);
    let seen = |sign: &str| failed.clone().any(|step| step.saw.contains(sign));
    SIGNS.iter().filter(|(sign, _)| seen(sign)).map(|(_, limit)| *limit).collect()
}

fn blank(chapter: &str, step: &Asked, outcome: StepOutcome, scheme: &Scheme) -> Step {
    let possible = scheme.worth(chapter, step.number, step.further);
    let earned = match outcome {
        StepOutcome::Passed => Some(possible),
        StepOutcome::Failed | StepOutcome::NotRun => Some(Points::ZERO),
        StepOutcome::Cannot | StepOutcome::Broken => None,
    };
    Step {
        step: step.number,
        further: step.further,
        name: step.title.clone(),
        outcome,
        points: Score { earned, possible },
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
        seconds: 0.0,
    }
}

fn of_run(chapter: &str, step: &Asked, run: &StepRun, unsteady: bool, scheme: &Scheme) -> Step {
    let outcome = match run.outcome() {
        Verdict::Passed => StepOutcome::Passed,
        Verdict::Failed => StepOutcome::Failed,
        Verdict::Cannot => StepOutcome::Cannot,
        Verdict::Broken => StepOutcome::Broken,
    };
    let Said { diagnosis, pointer, .. } = &run.verdict;
    let diagnosis = diagnosis.clone().unwrap_or_default();
    Step {
        wanted: cut(&run.verdict.wanted.to_string()),
        saw: cut(&match run.outcome() {
            Verdict::Broken => run.output.clone(),
            Verdict::Cannot => run.verdict.refused.clone(),
            Verdict::Passed | Verdict::Failed => run.verdict.saw.to_string(),
        }),
        stdout: cut(&run.verdict.stdout),
        stderr: cut(&run.verdict.stderr),
        mistake: diagnosis.mistake,
        cause: diagnosis.cause,
        remedy: diagnosis.remedy,
        call: pointer.clone().unwrap_or_default(),
        skipped: run.verdict.skipped(),
        unsteady,
        seconds: thousandths(run.seconds),
        ..blank(chapter, step, outcome, scheme)
    }
}

/// Seconds with three decimals.
pub fn thousandths(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// The first 16 KiB of a text, and whether there was more.
pub fn cut(text: &str) -> String {
    if text.len() <= KEPT {
        return text.to_owned();
    }
    let end = (0..=KEPT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}\n… (cut)", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u32, further: bool, outcome: StepOutcome) -> Step {
        let asked = Asked {
            number,
            further,
            name: format!("step{number}_x"),
            title: "x".into(),
            folder: "/".into(),
            with: None,
        };
        blank("ch02-unshare", &asked, outcome, &Scheme::default())
    }

    #[test]
    fn missing_evidence_is_never_a_pass() {
        use StepOutcome::{Broken, Cannot, Failed, NotRun, Passed};
        for (steps, wanted) in [
            (vec![step(1, false, Passed), step(2, true, Failed)], Outcome::Passed),
            (vec![step(1, false, Passed), step(2, true, Cannot)], Outcome::Passed),
            (vec![step(1, false, Passed), step(2, false, Failed)], Outcome::Failed),
            (vec![step(1, false, Failed), step(2, false, Cannot)], Outcome::Cannot),
            (vec![step(1, false, Cannot), step(2, false, Broken)], Outcome::Broken),
            (vec![step(1, false, Passed), step(2, false, NotRun)], Outcome::Failed),
            (vec![], Outcome::Failed),
        ] {
            assert_eq!(outcome(&steps), wanted, "{steps:?}");
        }
    }

    #[test]
    fn a_step_that_counts_and_could_not_be_run_leaves_the_outcome_open() {
        let mut further = step(2, true, StepOutcome::Cannot);
        further.points.possible = Points::ONE;
        let steps = [step(1, false, StepOutcome::Passed), further];
        assert_eq!(outcome(&steps), Outcome::Cannot);
    }

    #[test]
    fn a_limit_is_seen_in_the_end_of_a_program() {
        let mut failed = step(1, false, StepOutcome::Failed);
        failed.saw = "the program: stopped: it used more than 512 MiB of memory".into();
        assert_eq!(limits(&[failed.clone()]), [Limit::Memory]);
        failed.saw = "the program: still running after 5 s, in wait4()".into();
        assert_eq!(limits(&[failed]), [Limit::Time]);
        assert_eq!(limits(&[step(1, false, StepOutcome::Passed)]), []);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "ü".repeat(KEPT);
        let cut = cut(&text);
        assert!(
            cut.len() < KEPT + 16 && cut.ends_with("(cut)") && text.starts_with(&cut[..KEPT - 8])
        );
        assert_eq!(super::cut("short"), "short");
    }
}
