//! Runs the programs under the checks, many at once.

use std::iter;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use harness::trace::glob;
use harness::verdict::Outcome;

use super::candidates::{Candidate, Expected, Mistaken, Told};
use super::compile::Built;
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::Result;
use xtask::shared::screen::{plain, print};
use xtask::shared::steps::{Other, Step, StepRun, record_step, run_step, steps};

/// Seconds in which a program shows that it hangs. A correct answer takes a tenth of them, and more on a
/// busy machine: a program that has to be diagnosed is run again with more if it is not.
pub(super) const SHORT: f64 = 0.5;
const LONGER: f64 = 2.0;

/// Seconds for a program that has to be right in the end. They pass only if something is wrong, or if
/// the machine is very busy.
pub(super) const LONG: f64 = 10.0;

/// One program under one check.
#[derive(Clone)]
pub(super) struct Trial<'a> {
    pub(super) chapter: &'a str,
    check: &'a Path,
    steps: Vec<Step>,
    pub(super) candidate: &'a Candidate,
    /// `None`: the program that the check was built with.
    other: Option<Other<'a>>,
    /// A cheat has failed if it fails at the first step.
    quick: bool,
    /// How often a program is tried that has to pass, to be refused, or to be told its cause.
    repeat: usize,
}

/// The trials of a chapter's check. A program that does not compile is a fault already, and not tried.
pub(super) fn of_chapter<'a>(
    chapter: &'a Chapter,
    check: &'a Path,
    candidates: impl Iterator<Item = &'a Candidate>,
    built: &'a Built,
    quick: bool,
    repeat: usize,
) -> Result<Vec<Trial<'a>>> {
    let all = steps(chapter, check, None)?;
    let trial = |candidate: &'a Candidate| {
        let other = match &candidate.source {
            Some(source) => {
                let program = built.programs.get(&source.name)?;
                Some(Other {
                    program: Some(program),
                    patience: candidate.patience,
                    ..Other::default()
                })
            }
            None => None,
        };
        let is_tried = |step: &&Step| candidate.is_tried_at(step.further);
        let steps = all.iter().filter(is_tried).cloned().collect();
        Some(Trial { chapter: &chapter.name, check, steps, candidate, other, quick, repeat })
    };
    let candidates = candidates.filter(|candidate| {
        !(quick && candidate.expected == Expected::Diagnosed(Mistaken::Traced))
    });
    Ok(candidates.filter_map(trial).collect())
}

/// What a wrong program was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    RightCause,
    /// No cause, and the right call.
    RightCall,
    WrongCause,
}

/// What came of a trial.
#[derive(Clone, Debug, Default)]
pub(super) struct Tried {
    pub(super) faults: Vec<String>,
    /// For a wrong program that a step has refused.
    pub(super) telling: Option<Telling>,
}

/// Runs them all. Returns what came of each, in the order of the trials.
pub(super) fn run(trials: &[Trial]) -> Vec<Tried> {
    let mut pieces: Vec<Piece> = trials.iter().enumerate().flat_map(pieces_of).collect();
    // Programs that fail come first, those of the later chapters before the others: some of them hang,
    // and programs that need the processor run meanwhile.
    pieces.reverse();
    pieces.sort_by_key(|piece| piece.trial.candidate.expected.passes());
    let next = AtomicUsize::new(0);
    // A trial mostly waits, for a sandbox or for a deadline.
    let workers = 4 * thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let taken = iter::from_fn(|| pieces.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.map(|piece| (piece.number, piece.tried())).collect::<Vec<_>>()
    };
    let mut results = vec![Tried::default(); trials.len()];
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            for (number, more) in thread.join().expect("a worker does not panic") {
                results[number].faults.extend(more.faults);
                results[number].telling = more.telling;
            }
        }
    });
    // Several threads may have run the steps of one trial.
    results.iter_mut().for_each(|tried| tried.faults.sort());
    results
}

/// What a thread does at a time.
#[derive(Clone, Copy)]
struct Piece<'a> {
    /// The trial's index.
    number: usize,
    trial: &'a Trial<'a>,
    /// `None`: the steps of a mistake, one after the other until one fails.
    step: Option<&'a Step>,
}

fn pieces_of<'a>((number, trial): (usize, &'a Trial<'a>)) -> Vec<Piece<'a>> {
    let pieces = match trial.candidate.expected {
        Expected::Diagnosed(_) | Expected::NoWrongCause => {
            vec![Piece { number, trial, step: None }]
        }
        Expected::CheatFails if trial.quick => {
            vec![Piece { number, trial, step: trial.steps.first() }]
        }
        Expected::FakeFails | Expected::PromiseProven => {
            vec![Piece { number, trial, step: trial.step_that_refuses() }]
        }
        _ => trial.steps.iter().map(|step| Piece { number, trial, step: Some(step) }).collect(),
    };
    match trial.candidate.expected {
        Expected::FakeFails | Expected::PromiseProven | Expected::NoWrongCause => {
            pieces.repeat(trial.repeat)
        }
        expected if expected.passes() => pieces.repeat(trial.repeat),
        _ => pieces,
    }
}

impl Piece<'_> {
    fn tried(&self) -> Tried {
        if let Some(told) = &self.trial.candidate.told {
            return self.trial.told(told);
        }
        let faults = match self.step {
            Some(step) => self.trial.faults_of_step(step),
            None if self.trial.candidate.refusal.is_some() => {
                vec![self.trial.fault("its step does not exist")]
            }
            None => self.trial.faults_of_mistake(),
        };
        Tried { faults, telling: None }
    }
}

impl Trial<'_> {
    fn step_that_refuses(&self) -> Option<&Step> {
        let refusal = self.candidate.refusal.as_ref()?;
        self.steps.iter().find(|step| step.number == refusal.step)
    }

    /// A step has to pass, or it has to fail.
    fn faults_of_step(&self, step: &Step) -> Vec<String> {
        let run = match run_step(self.check, step, self.other) {
            Ok(run) => run,
            Err(failure) => return vec![self.fault(failure)],
        };
        let passes = self.candidate.expected.passes();
        let wanted = if passes { Outcome::Passed } else { Outcome::Failed };
        if run.outcome() == wanted {
            let line = self.candidate.refusal.as_ref().and_then(|refusal| refusal.line.as_deref());
            let (saw, wanted) = (&run.verdict.saw, &run.verdict.wanted);
            let same = line.filter(|line| saw.value(line) == wanted.value(line));
            return match same {
                Some(line) => vec![format!("not because of {line:?}: {}", self.saw(step, &run))],
                None => Vec::new(),
            };
        }
        if run.outcome() == Outcome::Passed && !run.verdict.skipped.is_empty() {
            let (name, reason) = (&self.candidate.name, plain(&run.verdict.skipped()));
            print(&format!("skipped: {}, {name}, {}: {reason}\n", self.chapter, step.name));
            return Vec::new();
        }
        if self.candidate.expected == Expected::FakeFails && run.outcome() == Outcome::Passed {
            return self.faults_of_again(step, Outcome::Failed, "accepted once, and refused");
        }
        if passes && run.outcome() == Outcome::Failed {
            print(&format!("{}\n", plain(&self.saw(step, &run))));
            return self.faults_of_again(step, Outcome::Passed, "refused once, and accepted");
        }
        vec![self.saw(step, &run)]
    }

    /// A fake that has been accepted once, or a correct program that has been refused once. Where two
    /// processes race in the kernel, that is told; it is a fault if it happens again.
    fn faults_of_again(&self, step: &Step, wanted: Outcome, told: &str) -> Vec<String> {
        const MORE: usize = 9;
        for _ in 0..MORE {
            match run_step(self.check, step, self.other) {
                Ok(run) if run.outcome() == wanted => {}
                Ok(run) => return vec![self.saw(step, &run)],
                Err(failure) => return vec![self.fault(failure)],
            }
        }
        let (chapter, name) = (self.chapter, &self.candidate.name);
        print(&format!("{told} {MORE} times: {chapter}, {name}\n"));
        Vec::new()
    }

    /// What a wrong program is told. One that is slow while it is recorded gets more time.
    fn told(&self, told: &Told) -> Tried {
        self.patiently(|trial| trial.telling(told))
    }

    /// Tries once, and twice more with more time as long as there are faults.
    fn patiently(&self, run: impl Fn(&Trial) -> Tried) -> Tried {
        let mut tried = run(self);
        for patience in [LONGER, LONG] {
            if tried.faults.is_empty() {
                break;
            }
            let other = self.other.map(|other| Other { patience: Some(patience), ..other });
            tried = run(&Trial { other, ..self.clone() });
        }
        tried
    }

    /// What a wrong program is told at the first step that fails, as a learner sees it: recorded.
    fn telling(&self, told: &Told) -> Tried {
        let fault = |what: String| Tried { faults: vec![self.fault(what)], telling: None };
        let (step, skipped) = match self.refusing_step() {
            Ok(found) => found,
            Err(faults) => return Tried { faults, telling: None },
        };
        let Some(step) = step else {
            return match &skipped {
                Some(reason) => self.not_told(reason),
                None => fault("no step refuses it".to_owned()),
            };
        };
        let run = match record_step(self.check, step, self.other, Path::new("/dev/null")) {
            Ok(run) => run,
            Err(failure) => return fault(failure.to_string()),
        };
        let (name, pointer) = (run.verdict.mistake(), run.verdict.pointer.clone());
        let pointer = pointer.unwrap_or_default();
        let claims_nothing = name.is_empty() || harness::mistakes::is_told_by_the_calls(name);
        let is_there = |at: &String| glob(&format!("*{at}*"), &pointer);
        let telling = match &told.name {
            Some(wanted) if wanted == name => Telling::RightCause,
            None if claims_nothing && told.at.as_ref().is_none_or(is_there) => Telling::RightCause,
            Some(_) if claims_nothing && told.at.as_ref().is_some_and(is_there) => {
                Telling::RightCall
            }
            _ => Telling::WrongCause,
        };
        let faults = match telling {
            Telling::WrongCause => {
                if let Some(reason) = &skipped {
                    return self.not_told(reason);
                }
                let name = if name.is_empty() { "nothing" } else { name };
                vec![format!("told {name:?}, {pointer:?}: {}", self.saw(step, &run))]
            }
            _ => Vec::new(),
        };
        Tried { faults, telling: Some(telling) }
    }

    /// The first step that refuses the program, and what this machine has skipped until then, which may be
    /// what would have told. Or a fault, if a step could not judge.
    fn refusing_step(&self) -> std::result::Result<(Option<&Step>, Option<String>), Vec<String>> {
        let mut skipped = None;
        for step in &self.steps {
            let run = run_step(self.check, step, self.other);
            let run = run.map_err(|failure| vec![self.fault(failure)])?;
            if !run.verdict.skipped.is_empty() {
                skipped = Some(run.verdict.skipped());
            }
            match run.outcome() {
                Outcome::Passed => {}
                Outcome::Failed => return Ok((Some(step), skipped)),
                _ => return Err(vec![self.saw(step, &run)]),
            }
        }
        Ok((None, skipped))
    }

    /// This machine has skipped what a wrong program would have been told by.
    fn not_told(&self, reason: &str) -> Tried {
        let (chapter, name) = (self.chapter, &self.candidate.name);
        print(&format!("skipped: {chapter}, what {name} is told: {}\n", plain(reason)));
        Tried::default()
    }

    /// The first step that fails has to be diagnosed as the mistake.
    fn faults_of_mistake(&self) -> Vec<String> {
        let diagnosed =
            |trial: &Trial| Tried { faults: trial.faults_of_diagnosis(), telling: None };
        self.patiently(diagnosed).faults
    }

    fn faults_of_diagnosis(&self) -> Vec<String> {
        match self.refusing_step() {
            Ok((Some(step), _)) => self.faults_of_recorded(step),
            Ok((None, skipped)) => self.faults_of_pass(skipped),
            Err(faults) => faults,
        }
    }

    /// A learner sees the recorded run. It is diagnosed as the mistake, and points at a call if the row
    /// does. A race may end in another way while it is recorded, so there are several attempts.
    fn faults_of_recorded(&self, step: &Step) -> Vec<String> {
        const ATTEMPTS: usize = 3;
        let traced = self.candidate.expected == Expected::Diagnosed(Mistaken::Traced);
        let pointed = self.candidate.expected == Expected::Diagnosed(Mistaken::Pointed);
        let mut faults = Vec::new();
        for _ in 0..ATTEMPTS {
            let run = match record_step(self.check, step, self.other, Path::new("/dev/null")) {
                Ok(run) => run,
                Err(failure) => return vec![self.fault(failure)],
            };
            if run.verdict.mistake() == self.candidate.name {
                return match run.verdict.pointer {
                    None if pointed => {
                        vec![self.fault("the trace has no such call as its row names")]
                    }
                    _ => Vec::new(),
                };
            }
            let terse = if traced { "without the call's name, " } else { "" };
            let taken = match run.verdict.mistake() {
                "" => "not diagnosed".to_owned(),
                other => format!("taken for {other:?}"),
            };
            let pointer = run.verdict.pointer.as_deref().unwrap_or("no pointer");
            faults = vec![format!("{terse}{taken}: {}; {pointer}", self.saw(step, &run))];
        }
        faults
    }

    /// A step that this machine has skipped may be the one that would have failed.
    fn faults_of_pass(&self, skipped: Option<String>) -> Vec<String> {
        let mistake = &self.candidate.name;
        let Some(skipped) = skipped else {
            return vec![format!("{mistake}: passes every step")];
        };
        print(&format!(
            "skipped: {}, the mistake {mistake:?}: {}\n",
            self.chapter,
            plain(&skipped)
        ));
        Vec::new()
    }

    fn fault(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", self.candidate.name)
    }

    fn saw(&self, step: &Step, run: &StepRun) -> String {
        format!("{}, {}: {}", self.candidate.name, step.name, brief(run))
    }
}

/// A run in one line.
fn brief(run: &StepRun) -> String {
    let said = match run.outcome() {
        Outcome::Broken => run.output.clone(),
        Outcome::Cannot => run.verdict.refused.clone(),
        Outcome::Passed | Outcome::Failed => run.verdict.saw.to_string(),
    };
    format!("{}: {}", run.outcome().word(), said.trim().replace('\n', " | "))
}
