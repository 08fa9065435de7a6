//! `cargo xtask check`: builds an exercise, runs its steps, and shows what the kernel saw.
//!
//! Exit status: 0 passed, 1 failed, 2 wrong usage, 3 this machine cannot check it.

mod compare;
mod guess;
mod machine;
mod text;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::variant::Variant;
use harness::verdict::Outcome;
use harness::{doctor, env};

use crate::reader::join;
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::broken;
use crate::shared::cargo::{self, Built};
use crate::shared::chapter::{Chapter, read, root};
use crate::shared::failure::{Failure, Result};
use crate::shared::keep;
use crate::shared::progress::{self, Progress, State};
use crate::shared::room::{self, Desk};
use crate::shared::screen::{self, Screen};
use crate::shared::steps::{self, Other, Step, StepRun};
use crate::shared::with::With;
pub(crate) use guess::Guess;
pub(crate) use text::own_file_back;

pub(crate) const USAGE: Usage = Usage {
    name: "check",
    forms: &[(
        "[CHAPTER…]",
        "run a chapter's check; without a chapter, that of the first one not yet solved",
    )],
    options: &[
        ("--all", "every chapter"),
        ("--further", "the steps without which a chapter is solved, too"),
        (
            "--with DIR",
            "with a teacher's private mistakes and steps, `DIR/chNN-slug/mistakes.toml` and `steps.rs`",
        ),
        (
            "--variant FILE",
            "of this one chapter, the variant in a `variant.json` that you were given",
        ),
        ("--json", "one JSON object a line instead of text"),
        ("--junit FILE", "the result as JUnit XML, too"),
        ("--report URL", "tell the room of a workshop, only this once; `join` does so always"),
        ("--name NAME", "with `--report`: the name that the room shows"),
    ],
};

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    chapters: Vec<Chapter>,
    /// Those that are named more than once.
    repeated: Vec<Chapter>,
    all: bool,
    extent: Extent,
    json: bool,
    junit: Option<PathBuf>,
    report: Option<OsString>,
    name: Option<OsString>,
    with: Option<PathBuf>,
    variant: Option<PathBuf>,
}

/// How a chapter is checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    pub(crate) extent: Extent,
    pub(crate) audience: Audience,
    /// Whether the reader may be asked something.
    pub(crate) asks: bool,
    /// What the reader has said about a program of `break`.
    pub(crate) guess: Option<Guess>,
    /// The room of a workshop is told, also if the reader has not asked for that once and for all.
    pub(crate) reports: bool,
    /// What is laid over the course.
    pub(crate) with: Option<With>,
    /// A file with a variant of the exercise.
    pub(crate) variant: Option<PathBuf>,
}

impl Manner {
    /// Whether the chapter's own exercise is checked. What comes of another one is not kept.
    fn is_usual(&self) -> bool {
        self.with.is_none() && self.variant.is_none()
    }
}

/// Which steps of a chapter are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Those that make a chapter solved.
    #[default]
    Core,
    /// Those that go further as well.
    Further,
}

/// How a chapter turned out.
pub(crate) struct Checked {
    pub(crate) chapter: Chapter,
    /// The steps that were run: up to the first that did not pass, or all of them.
    pub(crate) steps: Vec<(Step, StepRun)>,
    pub(crate) compiles: bool,
    /// How many steps make the chapter solved.
    pub(crate) core: usize,
    /// Why it could not be checked, if neither the program nor a step is the cause.
    pub(crate) trouble: Option<Failure>,
}

impl Checked {
    pub(crate) fn passed(&self) -> bool {
        let all_passed = self.steps.iter().all(|(_, run)| run.outcome() == Outcome::Passed);
        self.compiles && self.trouble.is_none() && !self.steps.is_empty() && all_passed
    }

    /// The exit status that it asks for.
    fn code(&self) -> u8 {
        let mut outcomes = self.steps.iter().map(|(_, run)| run.outcome());
        match (&self.trouble, outcomes.find(|outcome| *outcome != Outcome::Passed)) {
            _ if self.passed() => Outcome::Passed.exit_status(),
            (Some(trouble), _) => trouble.code(),
            (None, first) => first.unwrap_or(Outcome::Failed).exit_status(),
        }
    }
}

/// The exit status in a word.
fn code_word(checked: &Checked) -> &'static str {
    match checked.code() {
        0 => "ok",
        3 => "cannot",
        _ => "FAIL",
    }
}

/// The readers of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A reader: the first failure, and where to go from there.
    #[default]
    Reader,
    /// A machine: all steps, but no text.
    Machine,
    /// Both.
    Both,
}

pub(crate) fn run(arguments: Arguments) -> Result {
    let options = parse(arguments)?;
    for chapter in &options.repeated {
        screen::warn(&format!("note: {} is named twice and checked once\n", chapter.name));
    }
    let chapters = match (options.all, options.chapters.is_empty()) {
        (true, _) => Chapter::all()?,
        (false, false) => options.chapters,
        (false, true) => Progress::load().first_unsolved()?.into_iter().collect(),
    };
    if chapters.is_empty() && !options.json {
        screen::print("every chapter is solved; `cargo xtask check --all` checks them again\n");
    }
    let audience = match (options.json, &options.junit) {
        (true, _) => Audience::Machine,
        (false, Some(_)) => Audience::Both,
        (false, None) => Audience::Reader,
    };
    if let Some(report) = &options.report {
        join::for_once(report, options.name.as_deref())?;
    }
    let reports = options.report.is_some();
    let with = options.with.as_deref().map(With::read).transpose()?;
    let variant = options.variant.as_deref().map(variant_in).transpose()?;
    let asks = with.is_none() && variant.is_none();
    let manner =
        Manner { extent: options.extent, audience, asks, guess: None, reports, with, variant };
    let mut checked = Vec::new();
    for (index, chapter) in chapters.iter().enumerate() {
        if index > 0 && !options.json {
            screen::print("\n");
        }
        let result = check(chapter, &manner);
        if options.json {
            screen::print(&machine::json(&result));
        }
        checked.push(result);
        if let Some(trouble) = &checked[index].trouble {
            // The next chapter would have the same trouble.
            trouble.print();
            break;
        }
    }
    if options.json {
        screen::print(&machine::json_summary(&checked));
    } else if checked.len() > 1 {
        screen::print(&text::summary(&checked));
    }
    if let Some(file) = options.junit {
        let written = std::fs::write(&file, machine::junit(&checked));
        written.map_err(|error| {
            Failure::file(format!("could not write `{}`", file.display()), &error)
        })?;
    }
    // A failure is a verdict on the program, and so counts more than a machine that could not check.
    let codes: Vec<u8> = checked.iter().map(Checked::code).collect();
    let code = [1, 2, 3].into_iter().find(|code| codes.contains(code));
    Ok(ExitCode::from(code.unwrap_or(0)))
}

/// Checks one chapter for a reader, as a command of its own.
pub(crate) fn run_with(chapter: &Chapter, manner: &Manner) -> Result {
    let checked = check(chapter, manner);
    if let Some(trouble) = &checked.trouble {
        trouble.print();
    }
    Ok(ExitCode::from(checked.code()))
}

fn parse(mut arguments: Arguments) -> Result<Options> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("all") => options.all = true,
            Argument::Long("further") => options.extent = Extent::Further,
            Argument::Long("json") => options.json = true,
            Argument::Long("junit") => options.junit = Some(arguments.value("a file")?.into()),
            Argument::Long("report") => options.report = Some(arguments.value("an address")?),
            Argument::Long("with") => options.with = Some(arguments.value("a folder")?.into()),
            Argument::Long("variant") => options.variant = Some(arguments.value("a file")?.into()),
            Argument::Long("name") => options.name = Some(arguments.value("a name")?),
            Argument::Value(name) => {
                let chapter = Chapter::find(name)?;
                match options.chapters.contains(&chapter) {
                    true => options.repeated.push(chapter),
                    false => options.chapters.push(chapter),
                }
            }
            other => return Err(USAGE.unexpected(other)),
        }
    }
    if options.name.is_some() && options.report.is_none() {
        return Err(Failure::usage("`--name` is for `--report`").help("add `--report URL`"));
    }
    if options.all && !options.chapters.is_empty() {
        return Err(Failure::usage("`--all` is every chapter, and you name some")
            .help("leave out one or the other"));
    }
    if options.variant.is_some() {
        if options.chapters.len() != 1 {
            return Err(Failure::usage("a variant is one of a chapter's").help("name the chapter"));
        }
        if options.extent == Extent::Further {
            return Err(Failure::usage("the steps that go further have no variants")
                .help("leave out `--further` or `--variant`"));
        }
    }
    Ok(options)
}

/// A variant that a check can read.
fn variant_in(file: &Path) -> Result<PathBuf> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("could not read `{}`: {error}", file.display())))?;
    if Variant::from_json(&text).is_none() {
        return Err(Failure::usage(format!("`{}` is no variant", file.display()))
            .help("a teacher's `cargo xtask variant` makes it: `variant.json`"));
    }
    std::path::absolute(file)
        .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))
}

/// Checks one chapter, prints what came of it, and keeps the outcome.
pub(crate) fn check(chapter: &Chapter, manner: &Manner) -> Checked {
    let mut checked = Checked {
        chapter: chapter.clone(),
        steps: Vec::new(),
        compiles: true,
        core: 0,
        trouble: None,
    };
    checked.trouble = attempt(&mut checked, manner).err();
    if manner.is_usual() && (manner.reports || Desk::of(&root()).reports_every_check()) {
        tell_the_room(&checked);
    }
    checked
}

/// Reports what came of the check. A program that is not the reader's own is not worth it: one that another
/// command has put there, or that is checked in the place of the chapter's.
fn tell_the_room(checked: &Checked) {
    let chapter = &checked.chapter;
    let is_made = broken::is_made(chapter, &read(&chapter.program()).unwrap_or_default());
    if is_made || Progress::load().is_given(chapter) || env::path(env::PROGRAM).is_some() {
        return;
    }
    let core: Vec<&StepRun> =
        checked.steps.iter().filter(|(step, _)| !step.further).map(|(_, run)| run).collect();
    let passed = core.iter().take_while(|run| run.outcome() == Outcome::Passed).count();
    let outcome = match core.get(passed).map(|run| run.outcome()) {
        _ if !checked.compiles => room::Outcome::Unbuilt,
        Some(Outcome::Failed) => room::Outcome::Failed,
        None if passed > 0 && passed == checked.core => room::Outcome::Solved,
        _ => room::Outcome::Cannot,
    };
    let diagnosis = core.get(passed).and_then(|run| run.verdict.diagnosis.as_ref());
    let mistake = diagnosis.filter(|_| outcome == room::Outcome::Failed);
    room::report(room::Event::Checked {
        chapter: chapter.name.clone(),
        outcome,
        passed: passed as u64,
        of: checked.core as u64,
        mistake: mistake.map(|diagnosis| diagnosis.mistake.clone()).unwrap_or_default(),
    });
}

fn attempt(checked: &mut Checked, manner: &Manner) -> Result<()> {
    let Manner { extent, audience, .. } = *manner;
    // Before the build, which fails under the same limits with many other words.
    if let Some((_, advice)) = doctor::limits_too_low() {
        return Err(Failure::machine(advice.cause).help(advice.remedy));
    }
    let chapter = checked.chapter.clone();
    let printer = Printer { screen: Screen::stdout(), quiet: audience == Audience::Machine };
    let before = progress::hash(&chapter);
    let keep = |state| {
        if manner.is_usual() {
            note(&chapter, before, state);
        }
    };
    let test = match cargo::build_check(&chapter.name, printer.passing_screen())? {
        Built::Yes(test) => test,
        Built::No => {
            checked.compiles = false;
            keep(State::Failed(0));
            // The compiler has printed the reason.
            printer.say(&text::does_not_compile(&chapter));
            return Ok(());
        }
    };
    let test = match &manner.with {
        Some(with) => with.check(&chapter, &chapter.name, test)?,
        None => test,
    };
    let (further, core): (Vec<Step>, Vec<Step>) =
        steps::steps(&chapter, &test, manner.with.as_ref())?
            .into_iter()
            .partition(|step| step.further);
    checked.core = core.len();
    printer.say(&text::title(&chapter, printer.screen));
    let guess = match (&manner.guess, audience) {
        (Some(guess), _) => Some(guess.clone()),
        (None, Audience::Reader) => guess::awaited(&chapter, &core, manner.asks)?,
        (None, _) => None,
    };
    if let Some(guess) = &guess {
        guess::note(&chapter);
        printer.say(&text::guess(guess, printer.screen));
    }
    let first = run_steps(checked, &core, &test, manner, &printer)?;
    if let Some(guess) = &guess {
        let failed = first.filter(|(_, outcome)| *outcome == Outcome::Failed);
        printer.say(&text::came_of_guess(guess, failed.map(|(step, _)| step)));
    }
    match first {
        Some((step, Outcome::Failed)) => keep(State::Failed(step)),
        // This is no verdict on the program, so its earlier one stays.
        Some(_) => {}
        // Nor is this one on the chapter's own exercise.
        None if !manner.is_usual() => printer.say(text::every_step_passed()),
        // Nor is this: a mistake is in it, and a step that was skipped would have shown it.
        None if broken::is_made(&chapter, &read(&chapter.program()).unwrap_or_default()) => {
            printer.say(&text::unseen(&chapter));
            let own = Progress::load().of(&chapter).own;
            if own_is_away(&chapter, own) {
                printer.say(&text::own_file_back(&chapter, own));
            }
        }
        None => {
            let known = Progress::load().of(&chapter);
            let went_further = known.state == State::SolvedFurther && known.hash == before;
            // The solution that `catch-up` has put there solves nothing.
            let is_given =
                known.state == State::CaughtUp && known.hash == before && chapter.has_solution();
            let keeps = went_further || is_given;
            keep(if keeps { known.state } else { State::Solved });
            let is_open = extent == Extent::Core && !went_further;
            let open = if is_open { further.len() } else { 0 };
            let next = chapter.next()?;
            printer.say(&match is_given {
                true => text::caught_up(&chapter, next.as_ref()),
                false => text::solved(&chapter, open, next.as_ref()),
            });
            if own_is_away(&chapter, known.own) {
                printer.say(&text::own_file_back(&chapter, known.own));
            }
            forget_trace(&chapter);
        }
    }
    let core_passed = checked.passed();
    if extent == Extent::Further && !further.is_empty() && (core_passed || printer.quiet) {
        printer.say("\n");
        let failed = run_steps(checked, &further, &test, manner, &printer)?;
        if failed.is_none() && core_passed && !Progress::load().is_given(&chapter) {
            keep(State::SolvedFurther);
            printer.say(text::solved_further());
        }
    }
    Ok(())
}

/// Runs steps of a check that is built. Returns the first that did not pass, and how.
fn run_steps(
    checked: &mut Checked,
    all: &[Step],
    test: &Path,
    manner: &Manner,
    printer: &Printer,
) -> Result<Option<(u32, Outcome)>> {
    // They run all at once and are shown in order: a reader waits for the slowest, not for the sum.
    let results = steps::start_all(test, all, manner.variant.as_deref())?;
    let mut first = None;
    for (step, result) in all.iter().zip(results) {
        printer.passing(&text::passing_step(step));
        let mut run = result.recv().map_err(|_| Failure::new("a step was not run"))??;
        if first.is_none() {
            printer.say(&text::step_line(step, run.outcome(), printer.screen));
            printer.say(&text::skipped(&run, printer.screen));
            if run.outcome() != Outcome::Passed {
                if run.outcome() == Outcome::Failed {
                    printer.passing("  …       recording it once more");
                    record(&checked.chapter, step, test, &mut run, manner);
                }
                printer.say(&text::explanation(&checked.chapter, step, &run, printer.screen));
                first = Some((step.number, run.outcome()));
            }
        }
        checked.steps.push((step.clone(), run));
        if first.is_some() && manner.audience == Audience::Reader {
            break;
        }
    }
    printer.passing_screen().clear_line();
    Ok(first)
}

/// Runs a step that has failed once more, with the recorder beside it.
///
/// The first run is not recorded, because a verdict is about the program as it runs by itself: stopped
/// at each call it takes up to four times as long, and a race nearly always ends the same way. So there
/// are two verdicts, of which one counts as a whole. The recorded one points at a call, and
/// names a mistake only if the calls prove it; it counts if that run has failed in the same way. Otherwise
/// the first stands, without a trace, and names only what the facts prove by themselves.
fn record(chapter: &Chapter, step: &Step, test: &Path, run: &mut StepRun, manner: &Manner) {
    let Some(file) = trace_file(chapter) else { return };
    forget_trace(chapter);
    if file.parent().is_none_or(|folder| std::fs::create_dir_all(folder).is_err()) {
        return;
    }
    // Where two processes race, one of a few runs mostly ends as the first did. A reader waits for them.
    const ATTEMPTS: usize = 3;
    const LONG: Duration = Duration::from_secs(2);
    let start = Instant::now();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 && start.elapsed() > LONG {
            return;
        }
        let Ok(recorded) =
            steps::record_step(test, step, Other::of(manner.variant.as_deref()), &file)
        else {
            return;
        };
        if recorded.verdict.is_the_same(&run.verdict) {
            run.verdict = recorded.verdict;
            run.trace = Some(file).filter(|file| file.exists());
            return;
        }
    }
}

/// Whether `break` has put another program in the place of the reader's own, which is this backup.
pub(crate) fn own_is_away(chapter: &Chapter, own: u32) -> bool {
    let program = chapter.program();
    let texts = (read(&keep::backup(&program, own)), read(&program));
    own != 0 && matches!(texts, (Ok(own), Ok(now)) if own != now)
}

/// Where the trace of a chapter's failed step is.
fn trace_file(chapter: &Chapter) -> Option<PathBuf> {
    let target = cargo::target_folder().ok()?;
    Some(target.join("traces").join(&chapter.name).with_extension("jsonl"))
}

/// The trace of an earlier check must not be taken for this one's.
fn forget_trace(chapter: &Chapter) {
    _ = trace_file(chapter).map(std::fs::remove_file);
}

/// Prints for the reader, if there is one.
struct Printer {
    screen: Screen,
    quiet: bool,
}

impl Printer {
    fn say(&self, text: &str) {
        if !self.quiet {
            self.screen.clear_line();
            screen::print(text);
        }
    }

    fn passing(&self, text: &str) {
        self.passing_screen().passing(text);
    }

    /// Without a reader there is no line that the next one replaces.
    fn passing_screen(&self) -> Screen {
        Screen { terminal: self.screen.terminal && !self.quiet, ..self.screen }
    }
}

/// Keeps the outcome. `hash` is that of the program before it was built, because an edit since then has
/// not been checked. If another program was checked in its place, the exercise has no outcome.
fn note(chapter: &Chapter, hash: u64, state: State) {
    if env::path(env::PROGRAM).is_some() {
        return;
    }
    let mut progress = Progress::load();
    let entry = progress.of(chapter);
    let exercise = progress::exercise_hash(chapter);
    progress.keep(progress::Entry { hash, state, exercise, ..entry });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line() {
        let parse = |words: &[&str]| parse(Arguments::new(words.iter().copied()));
        let options = parse(&["ch2", "--json", "2", "--junit", "file"]).unwrap();
        assert_eq!(options.chapters.len(), 1);
        assert!(options.json && !options.all && options.junit == Some("file".into()));
        assert_eq!(options.extent, Extent::Core);
        assert_eq!(parse(&["2", "--further"]).unwrap().extent, Extent::Further);
        assert_eq!(parse(&["--junit=a=b"]).unwrap().junit, Some("a=b".into()));
        for wrong in [
            &["--jsn"][..],
            &["ch99"],
            &["--junit"],
            &["--all", "ch2"],
            &["--all=x"],
            &["--variant", "file"],
            &["--variant", "file", "ch2", "ch3"],
            &["--variant", "file", "ch2", "--further"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
