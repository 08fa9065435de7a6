//! `cargo xtask verify`: whether the course keeps what it promises. For authors.
//!
//! Solutions and other right programs pass; stubs, cheats and mistakes fail; every mistake is
//! called by its name; every file that a chapter needs is there and in shape.

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use harness::mistakes::{self, Mistake};
use harness::verdict::Outcome;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo;
use crate::shared::chapter::{Chapter, root, shown};
use crate::shared::failure::{Failure, Result};
use crate::shared::screen::{plain, plain_lines, print};
use crate::shared::steps::{Other, Step, StepRun, record_step, run_step, steps};
use crate::shared::variants::{self, Built, Source};
use format::Format;

mod format;
mod rules;

/// Programs that replay or fake.
const CHEATS: &str = "exercises/harness/cheats";

/// The chapter whose solution the edits of the harness's own table are made in.
const HAS_GENERAL_MISTAKES: &str = "ch02-unshare";

pub(crate) const USAGE: Usage = Usage {
    name: "verify",
    forms: &[("", "solutions pass, exercises fail, mistakes are named")],
    options: &[
        ("--any-progress", "whatever the exercises' src/main.rs hold"),
        ("--quick", "cheats at the first step of a chapter only, mistakes with words"),
    ],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut any_progress, mut quick) = (false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("any-progress") => any_progress = true,
            Argument::Long("quick") => quick = true,
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let chapters = Chapter::all()?;
    let cheats = cheats()?;
    let mut findings = Findings::default();

    let mut books = Vec::new();
    for chapter in &chapters {
        books.push(read(chapter, any_progress, &mut findings));
    }
    if any_progress {
        print("skipped: whether src/main.rs is the untouched stub (--any-progress)\n");
    }
    if quick {
        print("skipped: whether cheats fail at every step, and not at the first alone (--quick)\n");
        print("skipped: whether mistakes are named by an errno and no more (--quick)\n");
    }

    match format::look(&programs_alone(&chapters), &root())? {
        Format::Faults(faults) => {
            findings.fact("workspace", "programs that are no packages are formatted", faults);
        }
        Format::NoRustfmt => print(
            "skipped: whether programs that are no packages are formatted (no rustfmt: \
             `rustup component add rustfmt`)\n",
        ),
    }

    let checks = cargo::build_checks(&chapters)?;
    let sources: Vec<Source> =
        books.iter().flat_map(|book| &book.sources).chain(&cheats).cloned().collect();
    let built = variants::build(&sources)?;
    findings.fact("workspace", "every program compiles", built.faults.clone());

    let mut trials = Vec::new();
    for ((chapter, check), book) in chapters.iter().zip(&checks).zip(&books) {
        trials.extend(trials_of(chapter, check, book, &built, &cheats, quick)?);
    }
    let results = in_parallel(&trials);
    for fact in FACTS {
        for chapter in &chapters {
            let of_fact = trials.iter().zip(&results).filter(|(trial, _)| {
                trial.chapter == chapter.name && trial.expected.fact() == fact
            });
            let faults: Vec<Vec<String>> = of_fact.map(|(_, faults)| faults.clone()).collect();
            let count = faults.len();
            // Of what was not tried nothing is known.
            if count > 0 {
                let sentence = fact.replace('N', &count.to_string());
                findings.fact(&chapter.name, &sentence, faults.concat());
            }
        }
    }
    Ok(findings.conclude())
}

/// What was looked at, and what was wrong with it.
#[derive(Default)]
struct Findings {
    facts: usize,
    faults: Vec<String>,
}

impl Findings {
    /// One line: a sentence that is true unless there are faults.
    fn fact(&mut self, place: &str, sentence: &str, faults: Vec<String>) {
        self.facts += 1;
        let mark = if faults.is_empty() { "ok   " } else { "FAULT" };
        print(&format!("{mark}  {place}: {sentence}\n"));
        self.faults.extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
    }

    fn conclude(self) -> ExitCode {
        if self.faults.is_empty() {
            print(&format!("\nno faults, {} facts\n", self.facts));
            return ExitCode::SUCCESS;
        }
        let count = self.faults.len();
        print(&format!("\n{count} {}\n", if count == 1 { "fault" } else { "faults" }));
        for fault in self.faults {
            // A program that cheats may have given a name to something that is quoted here.
            print(&format!("  {}\n", plain_lines(&fault).replace('\n', "\n    ")));
        }
        ExitCode::FAILURE
    }
}

/// What a chapter's files hold, as far as the trials need it.
struct Book {
    mistakes: Vec<Mistake>,
    sources: Vec<Source>,
    /// Names of the other right programs among the sources.
    others: Vec<String>,
}

/// Reads a chapter's files and enters what is wrong with them.
fn read(chapter: &Chapter, any_progress: bool, findings: &mut Findings) -> Book {
    let name = &chapter.name;
    let mut missing = Vec::new();
    let mut text = |path: PathBuf| {
        fs::read_to_string(&path).unwrap_or_else(|error| {
            missing.push(format!("could not read `{}`: {error}", shown(&path)));
            String::new()
        })
    };
    let stub = text(chapter.stub());
    let program = text(chapter.program());
    let solution = text(chapter.solution().join("src/main.rs"));
    let page = text(chapter.page());
    let hints = text(chapter.exercise().join("hints.md"));
    let table = text(chapter.exercise().join("mistakes.toml"));
    _ = text(chapter.exercise().join("Cargo.toml"));
    _ = text(chapter.solution().join("Cargo.toml"));
    findings.fact(name, "all files are there", missing);

    if !any_progress {
        let touched =
            if program == stub { vec![] } else { vec!["src/main.rs is not stub.rs".into()] };
        findings.fact(name, "src/main.rs is the stub", touched);
    }
    findings.fact(name, "each TODO names its man pages", rules::todo_faults(&stub));
    findings.fact(
        name,
        "stub and solution have the same items",
        rules::item_faults(&stub, &solution),
    );
    let few = match rules::hints(&hints) {
        0 | 1 => vec!["hints.md: fewer than two hints (each begins with `## `)".into()],
        _ => vec![],
    };
    findings.fact(name, "it has hints", few);
    findings.fact(name, "it has a figure of a recorded run", figure_faults(chapter, &page));

    let (mut mistakes, mut faults) = match mistakes::of_chapter(&table) {
        Ok(mistakes) => (mistakes, Vec::new()),
        Err(error) => (Vec::new(), vec![format!("mistakes.toml: {error}")]),
    };
    if mistakes.len() < 4 {
        faults.push(format!("mistakes.toml: {} rows; a chapter has at least four", mistakes.len()));
    }
    let anchors = rules::anchors(&page);
    let lost = mistakes.iter().filter(|mistake| !anchors.contains(&mistake.see));
    faults.extend(lost.map(|mistake| {
        format!(
            "mistake {:?} sends to #{}, which the page does not have",
            mistake.name, mistake.see
        )
    }));
    if *name == HAS_GENERAL_MISTAKES {
        // One without an edit is the solution itself, which passes: a fault, as it should be.
        mistakes.extend(mistakes::general());
    }
    let mut sources = vec![Source { name: stub_of(chapter), text: stub, strict: true }];
    for (number, mistake) in mistakes.iter().enumerate() {
        match variants::apply(&solution, &mistake.edits) {
            Ok(text) => {
                let program = mistake_of(chapter, number);
                let tight_lipped = tight_lipped(mistake, &text).filter(|_| name != NAMES_ITS_CALLS);
                if let Some(text) = tight_lipped {
                    let name = format!("{program}{TIGHT_LIPPED}");
                    sources.push(Source { name, text, strict: false });
                }
                sources.push(Source { name: program, text, strict: false });
            }
            Err(error) => faults.push(format!("mistake {:?}: {error}", mistake.name)),
        }
    }
    findings.fact(name, "the table of mistakes is in order", faults);

    let (mut others, mut faults) = (Vec::new(), Vec::new());
    match programs_in(&chapter.solution().join("others"), &format!("{name}-other")) {
        Ok(found) => {
            others.extend(found.iter().map(|source| source.name.clone()));
            sources.extend(found);
        }
        Err(error) => faults.push(error),
    }
    findings.fact(name, "other right programs can be read", faults);
    Book { mistakes, sources, others }
}

/// What is missing of a chapter's figures. That they are true, the tests of the book see to.
fn figure_faults(chapter: &Chapter, page: &str) -> Vec<String> {
    let figures = rules::figures(page);
    if figures.is_empty() {
        return vec![format!(
            "{}: no figure; write what to run, what to draw of it, and what there is to see:\n\
             ```figure,root-lab,name=NAME,view=membership,kinds=uts\n\
             # {} ARGS…\n\
             caption: …\n\
             ```\n\
             and then `cargo run -p book -- record`",
            shown(&chapter.page()),
            chapter.name
        )];
    }
    let traces = figures
        .iter()
        .map(|figure| root().join("book/traces").join(format!("{}-{figure}.jsonl", chapter.name)));
    let missing = traces.filter(|trace| !trace.is_file());
    missing
        .map(|trace| format!("no `{}`; `cargo run -p book -- record` writes it", shown(&trace)))
        .collect()
}

fn stub_of(chapter: &Chapter) -> String {
    format!("{}-stub", chapter.name)
}

fn mistake_of(chapter: &Chapter, number: usize) -> String {
    format!("{}-mistake-{}", chapter.name, number + 1)
}

/// A chapter whose mistakes are known by the names that its exercise's finished part gives to calls.
const NAMES_ITS_CALLS: &str = "ch13-veth";

/// The end of the name of a program that says an errno and not of which call.
const TIGHT_LIPPED: &str = "-tight-lipped";

/// The same mistake in a program that says less, if what it says plays a part.
fn tight_lipped(mistake: &Mistake, text: &str) -> Option<String> {
    const WHOLE: &str = "{error:#}\")";
    let counts = mistake.when.iter().flatten().any(|(fact, _)| fact == "stderr");
    counts.then(|| text.replace(WHOLE, "{}\", error.root_cause())"))
}

/// The programs that replay or fake, and must get nowhere.
fn cheats() -> Result<Vec<Source>> {
    let cheats = programs_in(&root().join(CHEATS), "cheat");
    let cheats = cheats.map_err(Failure::new)?;
    if cheats.is_empty() {
        return Err(Failure::new(format!("{CHEATS} is empty: nothing would be tried")));
    }
    Ok(cheats)
}

/// The files that are a program each, and no package.
fn programs_alone(chapters: &[Chapter]) -> Vec<PathBuf> {
    // One that is missing is a fault already, and rustfmt need not say so again.
    let stubs = chapters.iter().map(Chapter::stub).filter(|stub| stub.is_file());
    let others = chapters.iter().map(|chapter| chapter.solution().join("others"));
    let folders = others.chain([root().join(CHEATS)]);
    stubs.chain(folders.flat_map(|folder| rust_files(&folder))).collect()
}

/// Every `*.rs` of a folder, in order; none if there is no folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect();
    files.sort();
    files
}

/// The programs of a folder, named after their files.
fn programs_in(folder: &Path, prefix: &str) -> std::result::Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for path in rust_files(folder) {
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("could not read `{}`: {error}", path.display()))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
        sources.push(Source { name: format!("{prefix}-{stem}"), text, strict: false });
    }
    Ok(sources)
}

/// What has to come of a program.
#[derive(Clone, Copy)]
enum Expected {
    StubFails,
    SolutionPasses,
    OtherPasses,
    CheatFails,
    /// One step that fails is enough to fail the chapter.
    CheatFailsAtOnce,
    /// The mistake's name is the diagnosis of the first step that fails. If its row names a call,
    /// that is found in the trace.
    Named {
        points: bool,
    },
    /// The same, by the recorder: the program does not say which call failed.
    NamedByTrace,
}

/// In the order in which they are reported. `N` is the number of trials.
const FACTS: [&str; 7] = [
    "the solution passes every step",
    "N other right programs pass every step",
    "the stub fails at every step",
    "N cheats fail at every step",
    "N cheats fail at the first step",
    "N mistakes fail and are named",
    "N mistakes are named though the program says an errno and no more",
];

impl Expected {
    fn fact(&self) -> &'static str {
        match self {
            Expected::SolutionPasses => FACTS[0],
            Expected::OtherPasses => FACTS[1],
            Expected::StubFails => FACTS[2],
            Expected::CheatFails => FACTS[3],
            Expected::CheatFailsAtOnce => FACTS[4],
            Expected::Named { .. } => FACTS[5],
            Expected::NamedByTrace => FACTS[6],
        }
    }
}

/// One program under one check.
#[derive(Clone)]
struct Trial<'a> {
    chapter: &'a str,
    check: &'a Path,
    steps: Vec<Step>,
    /// None: the solution itself, which the check was built with.
    other: Option<Other<'a>>,
    name: &'a str,
    expected: Expected,
}

fn trials_of<'a>(
    chapter: &'a Chapter,
    check: &'a Path,
    book: &'a Book,
    built: &'a Built,
    cheats: &'a [Source],
    quick: bool,
) -> Result<Vec<Trial<'a>>> {
    let steps = steps(chapter, check)?;
    let trial = |name: &'a str, other, expected| Trial {
        chapter: &chapter.name,
        check,
        steps: steps.clone(),
        other,
        name,
        expected,
    };
    let mut trials = vec![trial("the solution", None, Expected::SolutionPasses)];
    for source in book.sources.iter().chain(cheats) {
        let name = source.name.as_str();
        // Those that do not compile are faults already.
        let Some(program) = built.programs.get(name) else { continue };
        let other = |patience| Some(Other { program, patience });
        let (mistake, tight_lipped) = match name.strip_suffix(TIGHT_LIPPED) {
            Some(mistake) => (mistake, true),
            None => (name, false),
        };
        let number =
            (0..book.mistakes.len()).find(|number| mistake_of(chapter, *number) == mistake);
        trials.push(match number {
            Some(_) if tight_lipped && quick => continue,
            Some(number) if tight_lipped => {
                let mistake = &book.mistakes[number];
                trial(&mistake.name, other(patience(mistake)), Expected::NamedByTrace)
            }
            Some(number) => {
                let mistake = &book.mistakes[number];
                let expected = Expected::Named { points: mistake.pointer.is_some() };
                trial(&mistake.name, other(patience(mistake)), expected)
            }
            None if *name == stub_of(chapter) => {
                trial("the stub", other(Some(IMPATIENCE)), Expected::StubFails)
            }
            None if book.others.iter().any(|other| other == name) => {
                trial(name, other(Some(PATIENCE)), Expected::OtherPasses)
            }
            None if quick => trial(name, other(Some(IMPATIENCE)), Expected::CheatFailsAtOnce),
            None => trial(name, other(Some(IMPATIENCE)), Expected::CheatFails),
        });
    }
    Ok(trials)
}

/// Seconds that are enough to see that a program has hung. A right answer takes a tenth of it, more on
/// a busy machine: who is to be told by name is run again, with more, if it is not.
const IMPATIENCE: &str = "0.5";
const LESS_IMPATIENCE: &str = "2";

/// Seconds for who has to be right in the end. Nobody waits that long unless something is wrong, or
/// the machine has much else to do.
const PATIENCE: &str = "10";

/// Who uses up what a sandbox has needs all of its time.
fn patience(mistake: &Mistake) -> Option<&'static str> {
    let is_stopped = mistake.when.iter().flatten().any(|(fact, patterns)| {
        fact == "exit status" && patterns.iter().any(|pattern| pattern.starts_with("stopped"))
    });
    (!is_stopped).then_some(IMPATIENCE)
}

/// Runs them all. The faults of each, in the order of the trials.
fn in_parallel(trials: &[Trial]) -> Vec<Vec<String>> {
    let mut pieces: Vec<Piece> = trials.iter().enumerate().flat_map(pieces_of).collect();
    // Who fails comes first, those of the later chapters before the others: some of them hang, and
    // what needs the processor fills their time.
    pieces.reverse();
    let passes = |expected| matches!(expected, Expected::SolutionPasses | Expected::OtherPasses);
    pieces.sort_by_key(|piece| passes(piece.trial.expected));
    let next = AtomicUsize::new(0);
    // A trial is mostly waiting: for a sandbox, for a deadline.
    let workers = 4 * thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mine = iter::from_fn(|| pieces.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.map(|piece| (piece.number, piece.faults())).collect::<Vec<_>>()
    };
    let mut faults = vec![Vec::new(); trials.len()];
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            for (number, more) in thread.join().expect("it does not panic") {
                faults[number].extend(more);
            }
        }
    });
    // Of one trial's steps each was another thread's.
    faults.iter_mut().for_each(|faults| faults.sort());
    faults
}

/// What one thread does at a time.
struct Piece<'a> {
    /// Of the trial.
    number: usize,
    trial: &'a Trial<'a>,
    /// None: the steps of a mistake, one by one until one fails.
    step: Option<&'a Step>,
}

fn pieces_of<'a>((number, trial): (usize, &'a Trial<'a>)) -> Vec<Piece<'a>> {
    match trial.expected {
        Expected::Named { .. } | Expected::NamedByTrace => {
            vec![Piece { number, trial, step: None }]
        }
        Expected::CheatFailsAtOnce => vec![Piece { number, trial, step: trial.steps.first() }],
        _ => trial.steps.iter().map(|step| Piece { number, trial, step: Some(step) }).collect(),
    }
}

impl Piece<'_> {
    fn faults(&self) -> Vec<String> {
        match self.step {
            Some(step) => faults_of_step(self.trial, step),
            None => faults_of_mistake(self.trial),
        }
    }
}

/// A step that has to pass, or has to fail.
fn faults_of_step(trial: &Trial, step: &Step) -> Vec<String> {
    let run = match run_step(trial.check, step, trial.other) {
        Ok(run) => run,
        Err(failure) => return vec![format!("{}: {failure}", trial.name)],
    };
    let as_expected = match trial.expected {
        Expected::SolutionPasses | Expected::OtherPasses => run.outcome() == Outcome::Passed,
        _ => run.outcome() == Outcome::Failed,
    };
    if as_expected {
        return Vec::new();
    }
    if run.outcome() == Outcome::Passed && !run.verdict.skipped.is_empty() {
        let (name, reason) = (&step.name, plain(&run.verdict.skipped()));
        print(&format!("skipped: {}, {}, {name}: {reason}\n", trial.chapter, trial.name));
        return Vec::new();
    }
    vec![trial.saw(step, &run)]
}

/// The first step that fails has to call the mistake by its name.
fn faults_of_mistake(trial: &Trial) -> Vec<String> {
    let faults_of = match trial.expected {
        Expected::NamedByTrace => faults_of_tight_lipped,
        _ => faults_of_diagnosis,
    };
    let mut faults = faults_of(trial);
    for patience in [LESS_IMPATIENCE, PATIENCE] {
        if faults.is_empty() {
            break;
        }
        let other = trial.other.map(|other| Other { patience: Some(patience), ..other });
        faults = faults_of(&Trial { other, ..trial.clone() });
    }
    faults
}

fn faults_of_diagnosis(trial: &Trial) -> Vec<String> {
    let mut skipped = None;
    for step in &trial.steps {
        let run = match run_step(trial.check, step, trial.other) {
            Ok(run) => run,
            Err(failure) => return vec![format!("{}: {failure}", trial.name)],
        };
        if !run.verdict.skipped.is_empty() {
            skipped = Some(run.verdict.skipped());
        }
        match run.outcome() {
            Outcome::Passed => {}
            Outcome::Failed if run.verdict.mistake() == trial.name => {
                return match trial.expected {
                    Expected::Named { points: true } => faults_of_trace(trial, step),
                    _ => Vec::new(),
                };
            }
            _ if run.verdict.diagnosis.is_none() => {
                return vec![format!("not diagnosed: {}", trial.saw(step, &run))];
            }
            _ => {
                let saw = trial.saw(step, &run);
                return vec![format!("taken for {:?}: {saw}", run.verdict.mistake())];
            }
        }
    }
    passed_by(trial, skipped)
}

/// The first step that fails has to call the mistake by its name once it is recorded.
fn faults_of_tight_lipped(trial: &Trial) -> Vec<String> {
    let mut skipped = None;
    for step in &trial.steps {
        let run = run_step(trial.check, step, trial.other).and_then(|run| match run.outcome() {
            Outcome::Passed => Ok(run),
            _ => record_step(trial.check, step, trial.other, Path::new("/dev/null")),
        });
        let run = match run {
            Ok(run) => run,
            Err(failure) => return vec![format!("{}: {failure}", trial.name)],
        };
        if !run.verdict.skipped.is_empty() {
            skipped = Some(run.verdict.skipped());
        }
        match (run.outcome(), run.verdict.mistake() == trial.name) {
            (Outcome::Passed, _) => {}
            (Outcome::Failed, true) => return Vec::new(),
            _ => {
                let (taken, saw) = (run.verdict.mistake(), trial.saw(step, &run));
                return vec![format!("without the call's name, taken for {taken:?}: {saw}")];
            }
        }
    }
    passed_by(trial, skipped)
}

/// What may be found in a step that this machine has skipped is not found here.
fn passed_by(trial: &Trial, skipped: Option<String>) -> Vec<String> {
    let (chapter, mistake) = (trial.chapter, &trial.name);
    let Some(skipped) = skipped else {
        return vec![format!("{mistake}: passes every step")];
    };
    print(&format!("skipped: {chapter}, the mistake {mistake:?}: {}\n", plain(&skipped)));
    Vec::new()
}

/// With the recorder beside it the verdict is the same, and points at a call. A race may have
/// another winner then: it is tried again.
fn faults_of_trace(trial: &Trial, step: &Step) -> Vec<String> {
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        match record_step(trial.check, step, trial.other, Path::new("/dev/null")) {
            Ok(run) if run.verdict.mistake() != trial.name => {}
            Ok(run) if run.verdict.pointer.is_none() => {
                return vec![format!(
                    "{}: the trace has no such call as its row names",
                    trial.name
                )];
            }
            Ok(_) => return Vec::new(),
            Err(failure) => return vec![format!("{}: {failure}", trial.name)],
        }
    }
    vec![format!("{}: another verdict when it is recorded", trial.name)]
}

impl Trial<'_> {
    fn saw(&self, step: &Step, run: &StepRun) -> String {
        format!("{}, {}: {}", self.name, step.name, brief(run))
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
