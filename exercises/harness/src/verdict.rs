//! What a check says: in words to a reader, and as JSON to `cargo xtask`, which shows it its own way.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::{fs, process};

use serde_json::{Value, json};

use crate::doctor::{self, Advice};
use crate::env;
pub use crate::mistakes::Diagnosis;
use crate::mistakes::{self, Found, Mistake, TableError};
use crate::report::{Excerpt, Line, Report, Row, Selection};
use crate::story;
use crate::variant;
use lab::sandbox::Refusal;

/// How a step turned out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    /// This machine could not run it.
    Cannot,
    /// The check itself broke: it ended without a verdict.
    #[default]
    Broken,
}

impl Outcome {
    const ALL: [Outcome; 4] = [Outcome::Passed, Outcome::Failed, Outcome::Cannot, Outcome::Broken];

    /// As JSON and JUnit have it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Cannot => "cannot",
            Outcome::Broken => "broken",
        }
    }

    /// The exit status of a check that has this verdict, and of `cargo xtask check`.
    pub fn exit_status(self) -> u8 {
        match self {
            Outcome::Passed => 0,
            Outcome::Failed | Outcome::Broken => 1,
            Outcome::Cannot => 3,
        }
    }
}

/// The verdict of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// What the step asks: its doc comment.
    pub asked: String,
    /// Where the step is in `tests/check.rs`, from 1.
    pub line: u32,
    pub saw: Excerpt,
    pub wanted: Excerpt,
    /// What the program printed.
    pub stdout: String,
    pub stderr: String,
    /// `None` where no known mistake fits.
    pub diagnosis: Option<Diagnosis>,
    /// The call of the trace that went wrong, or between which two one is missing. `None` without a
    /// trace.
    pub pointer: Option<String>,
    /// The call that this machine refused, if the outcome is [`Outcome::Cannot`]; otherwise empty.
    pub refused: String,
    /// What this machine could not look at, and why.
    pub skipped: Vec<Line>,
}

impl Verdict {
    pub fn to_json(&self) -> String {
        let diagnosis = self.diagnosis.as_ref().map(|it| {
            json!({ "mistake": it.mistake, "cause": it.cause, "remedy": it.remedy, "see": it.see })
        });
        let verdict = json!({
            "outcome": self.outcome.word(),
            "asked": self.asked,
            "line": self.line,
            "saw": excerpt_to_json(&self.saw),
            "wanted": excerpt_to_json(&self.wanted),
            "stdout": self.stdout,
            "stderr": self.stderr,
            "diagnosis": diagnosis,
            "pointer": self.pointer,
            "refused": self.refused,
            "skipped": lines_to_json(&self.skipped),
        });
        verdict.to_string()
    }

    /// Reads what [`Verdict::to_json`] has written. `None` for any other text.
    pub fn from_json(text: &str) -> Option<Verdict> {
        let value: Value = serde_json::from_str(text).ok()?;
        let optional = |key: &str| Some(&value[key]).filter(|value| !value.is_null());
        let diagnosis = optional("diagnosis").map(|value| {
            Some(Diagnosis {
                mistake: text_of(value, "mistake")?,
                cause: text_of(value, "cause")?,
                remedy: text_of(value, "remedy")?,
                see: text_of(value, "see")?,
            })
        });
        let outcome = value["outcome"].as_str()?;
        Some(Verdict {
            outcome: Outcome::ALL.into_iter().find(|known| known.word() == outcome)?,
            asked: text_of(&value, "asked")?,
            line: value["line"].as_u64()?.try_into().ok()?,
            saw: excerpt_from_json(&value["saw"])?,
            wanted: excerpt_from_json(&value["wanted"])?,
            stdout: text_of(&value, "stdout")?,
            stderr: text_of(&value, "stderr")?,
            diagnosis: match diagnosis {
                Some(diagnosis) => Some(diagnosis?),
                None => None,
            },
            pointer: optional("pointer").and_then(Value::as_str).map(str::to_owned),
            refused: text_of(&value, "refused")?,
            skipped: lines_from_json(&value["skipped"])?,
        })
    }

    /// Whether this is the same verdict as another one of the same step: the outcome and what was seen
    /// are the same.
    pub fn is_the_same(&self, other: &Verdict) -> bool {
        let facts =
            |verdict: &Verdict| (verdict.outcome, verdict.saw.clone(), verdict.wanted.clone());
        facts(self) == facts(other)
    }

    /// Whether the program has run. If not, nothing was seen of it.
    pub fn has_run(&self) -> bool {
        self.saw != Excerpt::default()
    }

    /// Ends the check with a verdict about this machine.
    #[track_caller]
    fn end_because_of(mut self, error: &Refusal, advice: &Advice, what: &str) -> ! {
        let Advice { cause, remedy, .. } = advice;
        self.outcome = Outcome::Cannot;
        self.refused = error.to_string();
        self.diagnosis = Some(Diagnosis {
            cause: cause.clone(),
            remedy: remedy.clone(),
            ..Diagnosis::default()
        });
        self.hand_over();
        panic!("{what}\n{error}\n{cause}\nhelp: {remedy}")
    }

    /// What was skipped, on one line.
    pub fn skipped(&self) -> String {
        self.skipped.iter().map(Line::to_string).collect::<Vec<_>>().join("; ")
    }

    /// The name of the mistake, or nothing.
    pub fn mistake(&self) -> &str {
        self.diagnosis.as_ref().map_or("", |diagnosis| &diagnosis.mistake)
    }

    /// Hands the verdict to the caller that has asked for it. Returns if there is none, or if the
    /// step has passed and its test may go on.
    fn hand_over(&self) {
        let Some(file) = env::path(env::VERDICT) else { return };
        // A caller that finds no verdict says so.
        _ = fs::write(file, self.to_json());
        if self.outcome != Outcome::Passed {
            // Not a panic, which is what a broken check ends with. The runs that are still open end
            // with this process.
            process::exit(self.outcome.exit_status().into());
        }
    }
}

/// A row is a name and eight letters, a line is a key and a value.
fn excerpt_to_json(excerpt: &Excerpt) -> Value {
    let row = |row: &Row| json!([row.name, String::from_iter(row.letters)]);
    let table = excerpt.table.as_ref().map(|rows| rows.iter().map(row).collect::<Vec<_>>());
    json!({ "table": table, "lines": lines_to_json(&excerpt.lines) })
}

fn excerpt_from_json(value: &Value) -> Option<Excerpt> {
    let table = match &value["table"] {
        Value::Null => None,
        rows => Some(pairs(rows, |name, letters| {
            let letters: Vec<char> = letters.chars().collect();
            Some(Row { name, letters: letters.try_into().ok()? })
        })?),
    };
    Some(Excerpt { table, lines: lines_from_json(&value["lines"])? })
}

fn lines_to_json(lines: &[Line]) -> Value {
    lines.iter().map(|line| json!([line.key, line.value])).collect()
}

fn lines_from_json(value: &Value) -> Option<Vec<Line>> {
    pairs(value, |key, value| Some(Line { key, value }))
}

fn pairs<T>(value: &Value, read: impl Fn(String, String) -> Option<T>) -> Option<Vec<T>> {
    let pairs = value.as_array()?.iter();
    pairs.map(|pair| read(pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned())).collect()
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

/// The step that runs in a thread.
#[derive(Clone)]
struct Step {
    /// What it asks.
    asked: String,
    line: u32,
    /// Whether the chapter is solved without it.
    further: bool,
}

thread_local! {
    static STEP: RefCell<Step> =
        const { RefCell::new(Step { asked: String::new(), line: 0, further: false }) };
}

/// Called at the beginning of a function that has the attribute `step`.
#[doc(hidden)]
pub fn step(asked: &str, line: u32, further: bool) {
    STEP.set(Step { asked: asked.trim().to_owned(), line, further });
}

/// The program that this step tries: that of the package `name`, which the compiler was told is at
/// `built`. A solution's package has a second program for the steps that go further.
#[doc(hidden)]
pub fn program(name: &str, built: &str) -> PathBuf {
    match name.strip_suffix("-solution") {
        Some(chapter) if STEP.with_borrow(|step| step.further) => {
            let name = format!("{chapter}-further");
            let built = Path::new(built).with_file_name(&name);
            env::program(&name, &built.to_string_lossy())
        }
        _ => env::program(name, built),
    }
}

/// A verdict with what is known before the step is judged.
fn begun(outcome: Outcome) -> Verdict {
    let Step { asked, line, .. } = STEP.with_borrow(Clone::clone);
    Verdict { outcome, asked, line, ..Verdict::default() }
}

/// What `assert_report!` does before it compares texts. `cargo xtask` gets the verdict ([`env::VERDICT`])
/// and shows it its own way. Without it, a reader sees what the mismatch that is about to be shown
/// means, and what was seen is returned.
#[doc(hidden)]
pub fn judge(selection: Selection, wanted: &str, package: &str) -> Option<Excerpt> {
    let Selection { mut report, saw } = selection;
    let wanted = match variant::current() {
        Some(variant) => variant.wants(Excerpt::read(wanted)),
        None => Excerpt::read(wanted),
    };
    report.add_failed_endings(&wanted);
    let output = |key: &str| {
        let outputs = report.facts(key).filter(|output| !output.is_empty());
        outputs.collect::<Vec<_>>().join("\n")
    };
    let mut verdict = begun(if saw == wanted { Outcome::Passed } else { Outcome::Failed });
    (verdict.stdout, verdict.stderr) = (output("stdout"), output("stderr"));
    let timed_out = saw.lines.iter().any(|line| line.value.contains("still running after"));
    let excuse = match verdict.outcome {
        Outcome::Failed => doctor::excuse(timed_out),
        _ => None,
    };
    if let Some((refusal, advice)) = excuse {
        (verdict.saw, verdict.wanted) = (saw, wanted);
        could_not_judge(verdict, &refusal, &advice);
    }
    if verdict.outcome == Outcome::Failed {
        // A step that goes further may ask for what is a mistake in the others.
        let further = STEP.with_borrow(|step| step.further);
        let mut own = of_package(package);
        own.retain(|row| row.further == further);
        let general = mistakes::general();
        report.name_trace_by_role();
        let found = diagnose(&own, &general, &report, [&saw, &wanted]);
        if let Some(trace) = &report.trace {
            let pointer = match &found {
                Some(found) => found.pointer.clone(),
                None => trace.point(None),
            };
            verdict.pointer = pointer.map(|pointer| report.by_role(&pointer));
            if let Some(file) = env::path(env::TRACE) {
                // A caller that finds no trace does not mention it.
                _ = fs::write(file, trace.to_json_lines());
            }
        }
        verdict.diagnosis = found.map(|found| found.diagnosis);
    }
    (verdict.saw, verdict.wanted, verdict.skipped) = (saw, wanted, report.skipped);
    verdict.hand_over();
    if env::path(env::VERDICT).is_some() {
        return None;
    }
    if !verdict.skipped.is_empty() {
        println!("skipped: {}", verdict.skipped());
    }
    if let Some(Diagnosis { mistake, cause, remedy, .. }) = &verdict.diagnosis {
        eprintln!("\nthis looks like: {mistake}\n{cause}\nhelp: {remedy}");
    }
    if verdict.outcome == Outcome::Failed && !verdict.stderr.is_empty() {
        eprintln!("\nyour program said:\n{}", verdict.stderr);
    }
    Some(verdict.saw)
}

/// What the facts fit and nothing contradicts: first what undoes all else, then the rows of the chapter, then what
/// the recorded calls say by themselves, then the rows that all chapters share.
/// `compared` is what the step saw and what it wanted.
fn diagnose(
    own: &[Mistake],
    general: &[Mistake],
    report: &Report,
    compared: [&Excerpt; 2],
) -> Option<Found> {
    let fitting: Vec<&Mistake> = own.iter().filter(|row| row.fits(report)).collect();
    let found = |row: &Mistake| row.is_proven(report).then(|| row.found(report));
    // A row of the same name says more about it.
    let went_back = || {
        let row = fitting.iter().find(|row| row.name == mistakes::WENT_BACK);
        row.and_then(|row| found(row)).or_else(|| story::went_back(report, compared))
    };
    let asked = |row: &&Mistake| row.fits(report) && row.is_asked(compared[0], compared[1]);
    let general = || general.iter().filter(asked);
    went_back()
        .or_else(|| general().find(|row| row.name == mistakes::HAS_A_LIMIT).and_then(found))
        .or_else(|| fitting.iter().find_map(|row| found(row)))
        .or_else(|| story::made_by_a_thread(&fitting, report))
        .or_else(|| story::gave_up(report, compared))
        .or_else(|| story::ended_alone(report, compared))
        .or_else(|| story::first_ended(report))
        .or_else(|| story::killed(report))
        .or_else(|| story::tool_failed(report, compared))
        .or_else(|| story::ended_too_early(report, compared))
        .or_else(|| story::too_many(report, compared))
        .or_else(|| story::made_otherwise(&fitting, report))
        .or_else(|| story::too_few(report, compared))
        .or_else(|| story::ended_early(report, compared))
        .or_else(|| story::panicked(report))
        .or_else(|| general().find_map(found))
        .or_else(|| story::ignored(report))
}

/// The table of the chapter whose check runs: the exercise's, for its solution too. Private rows stand before
/// it. In a variant, what the chapter calls a mistake may be right, so only private rows are left.
fn of_package(package: &str) -> Vec<Mistake> {
    let chapter = package.strip_suffix("-solution").unwrap_or(package);
    let rows = |folder: PathBuf, read: fn(&str) -> Result<Vec<Mistake>, TableError>| {
        let file = folder.join(chapter).join("mistakes.toml");
        let Ok(text) = fs::read_to_string(&file) else { return Vec::new() };
        read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let private = env::path(env::WITH).map(|folder| rows(folder, mistakes::private));
    let own = match variant::current() {
        Some(_) => Vec::new(),
        None => rows(exercises(), mistakes::of_chapter),
    };
    private.into_iter().flatten().chain(own).collect()
}

/// The folder `exercises` of this checkout.
pub fn exercises() -> PathBuf {
    env::root().join("exercises")
}

/// Ends a check that never began.
#[track_caller]
pub(crate) fn could_not_check(error: &Refusal, advice: &Advice) -> ! {
    begun(Outcome::Cannot).end_because_of(
        error,
        advice,
        "could not check: this machine refused the sandbox (your program has not run)",
    )
}

/// Ends a check whose program has failed because this machine lacks something.
#[track_caller]
pub(crate) fn machine_lacks(error: &Refusal, advice: &Advice) -> ! {
    could_not_judge(begun(Outcome::Cannot), error, advice)
}

/// Ends a check whose program has failed, and perhaps by the fault of this machine.
#[track_caller]
fn could_not_judge(failed: Verdict, error: &Refusal, advice: &Advice) -> ! {
    failed.end_because_of(
        error,
        advice,
        "could not check: your program has failed, but this machine lacks what a right one needs",
    )
}
