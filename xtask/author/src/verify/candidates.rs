//! The programs that are tried, each with the result that it must have.

use std::fs;
use std::path::{Path, PathBuf};

use harness::mistakes::Mistake;

use super::compile::Source;
use super::promises::{Broken, Promise};
use super::trials::{LONG, SHORT};
use xtask::shared::chapter::{self, Chapter, root};
use xtask::shared::edit;
use xtask::shared::failure::{Failure, Result};

/// Programs that replay or fake.
const CHEATS: &str = "exercises/harness/cheats";

/// A chapter whose mistakes are recognized by the names that the finished part of its exercise gives to
/// calls: a program that does not print them is another mistake.
const PRINTS_OTHER_NAMES: &str = "ch13-veth";

/// A program, and the result that it must have.
pub(super) struct Candidate {
    /// What messages call it.
    pub(super) name: String,
    /// `None` for the solution, which its check is built with.
    pub(super) source: Option<Source>,
    pub(super) expected: Expected,
    /// How many seconds a check waits for each thing, where that is not as long as usual.
    pub(super) patience: Option<f64>,
    /// Which step refuses the program, for one that one step has to refuse.
    pub(super) refusal: Option<Refusal>,
    /// What a wrong program has to be told.
    pub(super) told: Option<Told>,
    /// Whether its mistake is in what the further steps ask for, and the rest is right.
    further: bool,
}

impl Candidate {
    /// A program of which all steps say the same.
    fn new(
        name: String,
        source: Option<Source>,
        expected: Expected,
        patience: Option<f64>,
    ) -> Candidate {
        Candidate { name, source, expected, patience, refusal: None, told: None, further: false }
    }

    /// Whether it is tried at a step, which may be a further one.
    pub(super) fn is_tried_at(&self, further: bool) -> bool {
        match self.expected {
            Expected::SolutionPasses | Expected::OtherPasses => !further,
            Expected::SolutionStops => further,
            Expected::Diagnosed(_) => further == self.further,
            Expected::FurtherPasses
            | Expected::StubFails
            | Expected::CheatFails
            | Expected::FakeFails
            | Expected::PromiseProven
            | Expected::NoWrongCause => true,
        }
    }
}

/// What a wrong program has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The name of a mistake; `None` if no cause is to be claimed.
    pub(super) name: Option<String>,
    /// A [`trace::glob`](harness::trace::glob) for what the verdict points at, where no cause is claimed.
    pub(super) at: Option<String>,
}

/// How a step refuses a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The step's number.
    pub(super) step: u32,
    /// The line of the report, or the cell of its table, that is not as it should be.
    pub(super) line: Option<String>,
}

/// What must come of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The solution passes each step that makes a chapter solved.
    SolutionPasses,
    /// The program that goes further passes those, too, that go further.
    FurtherPasses,
    /// The solution fails at each of those.
    SolutionStops,
    /// So does any other correct program.
    OtherPasses,
    /// The stub fails at each step.
    StubFails,
    /// So does a program that replays or fakes.
    CheatFails,
    /// One that fakes a single chapter's exercise is refused by the step that it names.
    FakeFails,
    /// One that breaks a single promise is refused by the step that proves the promise.
    PromiseProven,
    /// The first step that fails is diagnosed as this mistake.
    Diagnosed(Mistaken),
    /// A wrong program as people write it is given no wrong cause by the first step that fails, which is
    /// a further one if the rest is right.
    NoWrongCause,
}

/// The results in the order in which they are reported, those together that are reported as one.
pub(super) const IN_ORDER: [&[Expected]; 11] = [
    &[Expected::SolutionPasses],
    &[Expected::FurtherPasses],
    &[Expected::SolutionStops],
    &[Expected::OtherPasses],
    &[Expected::StubFails],
    &[Expected::CheatFails],
    &[Expected::FakeFails],
    &[Expected::PromiseProven],
    &[Expected::Diagnosed(Mistaken::Reported), Expected::Diagnosed(Mistaken::Pointed)],
    &[Expected::Diagnosed(Mistaken::Traced)],
    &[Expected::NoWrongCause],
];

/// How a mistake is recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistaken {
    /// By the report alone.
    Reported,
    /// By the report; the trace of the run has the call to which the mistake's row points.
    Pointed,
    /// By the trace: the program prints the errno, but not which call failed.
    Traced,
}

impl Expected {
    /// Whether the program has to pass.
    pub(super) fn passes(self) -> bool {
        matches!(self, Expected::SolutionPasses | Expected::FurtherPasses | Expected::OtherPasses)
    }

    /// Whether it is the solution, or the program that goes further, that has to pass.
    pub(super) fn is_of_the_solution(self) -> bool {
        matches!(self, Expected::SolutionPasses | Expected::FurtherPasses)
    }

    /// What is true if all `count` programs of a chapter have had this result. `quick`: the cheats were
    /// tried at the first step only.
    pub(super) fn sentence(self, count: usize, quick: bool) -> String {
        match self {
            Expected::SolutionPasses => "the solution passes every step".to_owned(),
            Expected::FurtherPasses => "the program that goes further passes every step".to_owned(),
            Expected::SolutionStops => "the solution fails at every further step".to_owned(),
            Expected::OtherPasses => format!("{count} other correct programs pass every step"),
            Expected::StubFails => "the stub fails at every step".to_owned(),
            Expected::CheatFails if quick => format!("{count} cheats fail at the first step"),
            Expected::CheatFails => format!("{count} cheats fail at every step"),
            Expected::FakeFails => format!("{count} fakes are refused"),
            Expected::PromiseProven => {
                format!("{count} promises are kept by the solution and proven by a step")
            }
            Expected::Diagnosed(Mistaken::Traced) => {
                format!("{count} mistakes are named in programs that print only an errno")
            }
            Expected::Diagnosed(_) => format!("{count} mistakes fail and are named"),
            Expected::NoWrongCause => format!("{count} wrong programs are given no wrong cause"),
        }
    }
}

/// The solution itself.
pub(super) fn solution() -> Candidate {
    let name = "the solution".to_owned();
    Candidate::new(name, None, Expected::SolutionPasses, None)
}

/// The program that goes further, and the solution, which does not.
pub(super) fn further(chapter: &Chapter, solution: String, further: String) -> [Candidate; 2] {
    let candidate = |name: &str, program: &str, text, expected, patience| {
        let name = name.to_owned();
        let source = Source { name: format!("{}-{program}", chapter.name), text, strict: false };
        Candidate::new(name, Some(source), expected, patience)
    };
    let passes = Expected::FurtherPasses;
    [
        candidate("the program that goes further", "further", further, passes, None),
        candidate("the solution", "core", solution, Expected::SolutionStops, Some(SHORT)),
    ]
}

pub(super) fn stub(chapter: &Chapter, text: String) -> Candidate {
    let source = Source { name: format!("{}-stub", chapter.name), text, strict: true };
    Candidate::new("the stub".to_owned(), Some(source), Expected::StubFails, Some(SHORT))
}

/// The mistake with this number in its table, made in the solution: once as the solution prints its
/// errors, and once more in a program that prints the errno only, if what it prints is a sign of it.
pub(super) fn mistake(
    chapter: &Chapter,
    number: usize,
    mistake: &Mistake,
    solution: &str,
) -> std::result::Result<Vec<Candidate>, String> {
    let text = edit::apply(solution, &mistake.edits)?;
    let program = format!("{}-mistake-{number}", chapter.name);
    let candidate = |program: String, text: String, mistaken: Mistaken| {
        let source = Source { name: program, text, strict: false };
        let patience = (!is_stopped(mistake)).then_some(SHORT);
        let expected = Expected::Diagnosed(mistaken);
        let made = Candidate::new(mistake.name.clone(), Some(source), expected, patience);
        Candidate { further: mistake.further, ..made }
    };
    let mut candidates = Vec::new();
    let is_printed = mistake.when.iter().flatten().any(|(fact, _)| fact == "stderr");
    if is_printed && chapter.name != PRINTS_OTHER_NAMES {
        candidates.push(candidate(format!("{program}-terse"), terse(&text), Mistaken::Traced));
    }
    let how = if mistake.pointer.is_some() { Mistaken::Pointed } else { Mistaken::Reported };
    candidates.push(candidate(program, text, how));
    Ok(candidates)
}

/// The program, without what it says about an errno.
fn terse(text: &str) -> String {
    text.replace("{error:#}\")", "{}\", error.root_cause())")
}

/// A program that is stopped because it has used up what a sandbox has needs all of its time.
fn is_stopped(mistake: &Mistake) -> bool {
    mistake.when.iter().flatten().any(|(fact, patterns)| {
        fact == "exit status" && patterns.iter().any(|pattern| pattern.starts_with("stopped"))
    })
}

/// The other correct programs of a chapter.
pub(super) fn others(chapter: &Chapter) -> std::result::Result<Vec<Candidate>, String> {
    let sources = sources_in(&others_of(chapter), &format!("{}-other", chapter.name))?;
    Ok(named_by_source(sources, Expected::OtherPasses, LONG))
}

/// What the first line of a fake says: `//! Refused by step 2: …`.
const REFUSED: &str = "//! Refused by step ";

/// The programs that fake a chapter's exercise. The first line of each says which step refuses it, and
/// why.
pub(super) fn fakes(chapter: &Chapter) -> std::result::Result<Vec<Candidate>, String> {
    let sources = sources_in(&fakes_of(chapter), &format!("{}-fake", chapter.name))?;
    let mut fakes = named_by_source(sources, Expected::FakeFails, SHORT);
    for fake in &mut fakes {
        let text = fake.source.as_ref().map_or("", |source| &source.text);
        let step = text.strip_prefix(REFUSED).and_then(|rest| rest.split_once(": "));
        let step = step.and_then(|(number, _)| number.parse().ok()).ok_or_else(|| {
            format!("{}: its first line does not begin with `{REFUSED}N: `", fake.name)
        })?;
        fake.refusal = Some(Refusal { step, line: None });
    }
    Ok(fakes)
}

/// The wrong programs of a chapter, as people write them. The first lines of each say what it has to be
/// told: `//! Named: NAME` or `//! Named: nothing`, and perhaps `//! Points at: CALL`.
pub(super) fn tries(chapter: &Chapter) -> std::result::Result<Vec<Candidate>, String> {
    let sources = sources_in(&tries_of(chapter), &format!("{}-try", chapter.name))?;
    let mut tries = named_by_source(sources, Expected::NoWrongCause, SHORT);
    for candidate in &mut tries {
        let text = candidate.source.as_ref().map_or("", |source| &source.text);
        let head = text.lines().map_while(|line| line.strip_prefix("//! "));
        let value =
            |key: &str| head.clone().find_map(|line| Some(line.strip_prefix(key)?.to_owned()));
        let name = value("Named: ")
            .ok_or_else(|| format!("{}: no line `//! Named: …` at its head", candidate.name))?;
        let name = Some(name).filter(|name| name != "nothing");
        candidate.told = Some(Told { name, at: value("Points at: ") });
    }
    Ok(tries)
}

/// The program that breaks the promise with this number in its table. `own` are the chapter's other
/// programs.
pub(super) fn breaking(
    chapter: &Chapter,
    number: usize,
    promise: &Promise,
    solution: &str,
    own: &[Candidate],
) -> std::result::Result<Candidate, String> {
    let missing = |what: &str, name: &str| format!("no {what} is called {name:?}");
    let source = match &promise.broken {
        Broken::Without(edits) => Source {
            name: format!("{}-promise-{number}", chapter.name),
            text: edit::apply(solution, edits)?,
            strict: false,
        },
        Broken::Mistake(name) => {
            let made = own.iter().find(|candidate| candidate.name == *name);
            let source = made.and_then(|candidate| candidate.source.clone());
            source.ok_or_else(|| missing("mistake", name))?
        }
        Broken::Fake(stem) => {
            let file = format!("{}-fake-{}", chapter.name, stem.replace('_', "-"));
            let fake = own.iter().find(|candidate| candidate.name == file);
            let source = fake.and_then(|candidate| candidate.source.clone());
            source.ok_or_else(|| missing("fake", stem))?
        }
    };
    let name = format!("without {:?}", promise.says);
    let refusal = Some(Refusal { step: promise.step, line: Some(promise.line.clone()) });
    Ok(Candidate {
        refusal,
        ..Candidate::new(name, Some(source), Expected::PromiseProven, Some(SHORT))
    })
}

/// The programs that replay or fake. They are tried in each chapter.
pub(super) fn cheats() -> Result<Vec<Candidate>> {
    let sources = sources_in(&root().join(CHEATS), "cheat").map_err(Failure::new)?;
    if sources.is_empty() {
        return Err(Failure::new(format!("{CHEATS} is empty: nothing would be tried")));
    }
    Ok(named_by_source(sources, Expected::CheatFails, SHORT))
}

fn named_by_source(sources: Vec<Source>, expected: Expected, patience: f64) -> Vec<Candidate> {
    let candidate = |source: Source| {
        Candidate::new(source.name.clone(), Some(source), expected, Some(patience))
    };
    sources.into_iter().map(candidate).collect()
}

/// The files that are a program each, outside of any package.
pub(super) fn files(chapters: &[Chapter]) -> Vec<PathBuf> {
    // A stub that is missing is a fault already, and rustfmt need not report it again.
    let stubs = chapters.iter().map(Chapter::stub).filter(|stub| stub.is_file());
    let folders = chapters
        .iter()
        .flat_map(|chapter| [others_of(chapter), fakes_of(chapter), tries_of(chapter)]);
    let folders = folders.chain([root().join(CHEATS)]);
    stubs.chain(folders.flat_map(|folder| rust_files(&folder))).collect()
}

fn others_of(chapter: &Chapter) -> PathBuf {
    chapter.solution().join("others")
}

fn fakes_of(chapter: &Chapter) -> PathBuf {
    chapter.solution().join("fakes")
}

fn tries_of(chapter: &Chapter) -> PathBuf {
    chapter.solution().join("tries")
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
fn sources_in(folder: &Path, prefix: &str) -> std::result::Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for path in rust_files(folder) {
        let text = chapter::read(&path).map_err(|failure| failure.to_string())?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
        sources.push(Source { name: format!("{prefix}-{stem}"), text, strict: false });
    }
    Ok(sources)
}
