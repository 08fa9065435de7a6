//! The steps of a chapter, run on a program of a submission.

use std::io;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use harness::report::Line;
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
            // The same for each user that grades.
            one_id: true,
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
        // All have ended before a failure of one is looked at.
        threads.into_iter().map(joined).collect()
    });
    let runs = runs.into_iter().collect::<Result<Vec<_>>>()?;
    // Both at the same time, because a program that hangs keeps each waiting.
    let [core, further] = thread::scope(|scope| {
        let (steps, runs) = (&chapter.steps, &runs);
        let decide = |is_further| {
            let of_kind = steps.iter().zip(runs).enumerate();
            let of_kind = of_kind.filter(move |(_, (step, _))| step.further == is_further);
            let other = &other;
            let work = move || first_failed(chapter, of_kind, other);
            thread::Builder::new().spawn_scoped(scope, work)
        };
        [decide(false), decide(true)].map(joined)
    });
    let mut decided: Vec<_> = core?.into_iter().chain(further?).collect();
    let mut graded = Vec::new();
    for (place, (step, run)) in chapter.steps.iter().zip(runs).enumerate() {
        let again = decided.iter().position(|decided| decided.place == place);
        let again = again.map(|found| decided.swap_remove(found));
        let unsteady = again.as_ref().is_some_and(|again| again.unsteady);
        graded.push(match again.map(|again| again.run).or(run) {
            Some(run) => of_run(name, step, &run, unsteady, scheme),
            None => blank(name, step, StepOutcome::NotRun, scheme),
        });
    }
    Ok(graded)
}

/// What a thread has found.
fn joined<T>(thread: io::Result<ScopedJoinHandle<Result<T>>>) -> Result<T> {
    match thread {
        Ok(thread) => thread.join().expect("running a step does not panic"),
        Err(error) => Err(Failure::thread(&error)),
    }
}

/// A step that was run again, and what counts of it.
struct Decided {
    /// Of the step, in the chapter.
    place: usize,
    run: StepRun,
    unsteady: bool,
}

/// Runs the first of these steps that failed again. If it passes then, that was chance, and the next one takes
/// its place.
fn first_failed<'a, 'b>(
    chapter: &Chapter,
    steps: impl Iterator<Item = (usize, (&'a Asked, &'a Option<StepRun>))>,
    other: impl Fn(&Asked) -> Option<Other<'b>>,
) -> Result<Vec<Decided>> {
    let mut decided = Vec::new();
    for (place, (step, run)) in steps {
        let Some(run) = run.as_ref().filter(|run| run.outcome() == Verdict::Failed) else {
            continue;
        };
        let (run, unsteady) = again(chapter, step, other(step), run)?;
        let has_failed = run.outcome() == Verdict::Failed;
        decided.push(Decided { place, run, unsteady });
        if has_failed {
            break;
        }
    }
    Ok(decided)
}

/// How many seconds a program that hangs is waited for when its run is recorded.
const KNOWN_TO_HANG: f64 = 2.0;

/// Runs a failed step once more, with the recorder beside it. If that ends in another way, the program
/// does so, or the machine was busy: a third run, without the recorder, decides.
fn again(
    chapter: &Chapter,
    step: &Asked,
    other: Option<Other>,
    first: &StepRun,
) -> Result<(StepRun, bool)> {
    let hangs = |line: &Line| line.value.contains(HANGS) || line.key == TOO_FEW;
    let hangs = first.verdict.saw.lines.iter().any(hangs);
    let patience = hangs.then_some(KNOWN_TO_HANG);
    let for_recorder = other.map(|other| Other { patience, ..other });
    let nowhere = Path::new("/dev/null");
    let recorded = steps::record_step(&chapter.check, step, for_recorder, nowhere)?;
    if recorded.outcome() == first.outcome() {
        let mut run = first.clone();
        if without_seconds(&recorded.verdict).is_the_same(&without_seconds(&first.verdict)) {
            // Only the recorder knows what the calls have to do with it.
            run.verdict.diagnosis = recorded.verdict.diagnosis;
            run.verdict.pointer = recorded.verdict.pointer;
        }
        return Ok((run, false));
    }
    let third = steps::run_step(&chapter.check, step, other)?;
    Ok((if third.outcome() == first.outcome() { first.clone() } else { third }, true))
}

/// What the harness says of a program that was waited for in vain.
const HANGS: &str = "still running after ";

/// What it calls the line about commands of which it has waited for one in vain.
const TOO_FEW: &str = "COMMANDs at once";

/// Without how long it was waited for.
fn without_seconds(verdict: &Said) -> Said {
    let mut verdict = verdict.clone();
    for line in &mut verdict.saw.lines {
        let mut parts = line.value.split(HANGS);
        let mut value = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            value += HANGS;
            value += part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        }
        line.value = value;
    }
    verdict
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
        (HANGS, Limit::Time),
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
    use harness::report::Excerpt;

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
    fn how_long_a_program_was_waited_for_makes_no_difference() {
        let saw = |value: &str| {
            let saw = Excerpt::read(&format!("COMMAND: {value}"));
            without_seconds(&Said { saw, ..Said::default() })
        };
        let hangs = saw("never started: still running after 5 s, in wait4(2)");
        assert!(hangs.is_the_same(&saw("never started: still running after 0.5 s, in wait4(2)")));
        assert!(!hangs.is_the_same(&saw("never started: still running after 5 s, in read(2)")));
        assert!(!hangs.is_the_same(&saw("never started: your program has ended")));
        assert_eq!(saw("exit status 3").saw, Excerpt::read("COMMAND: exit status 3"));
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
