//! A run: grades what is not graded yet, and keeps each result as soon as it is there.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use harness::doctor::{self, Answer, Examination};
use xtask::shared::arguments::nearest;
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::progress::fnv1a;
use xtask::shared::screen::{self, Screen, plain};
use xtask::shared::with::With;

use crate::check::{self, thousandths};
use crate::compile::{self, Built, compile};
use crate::course::{self, Course};
use crate::digest::Digest;
use crate::intake::{Files, Found, Handed, Sources, find, git_works, one, sources};
use crate::points::{Points, Scheme};
use crate::result::{
    self, Graded, Limit, Outcome, Provenance, SCHEMA, Seconds, Step, StepOutcome, Submission,
    Trouble,
};
use crate::store::Store;
use crate::texts::Level;
use crate::time::utc;
use crate::variant::{self, Variants};

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    pub submissions: Vec<PathBuf>,
    /// They are a single one, with this key.
    pub one: Option<String>,
    pub out: PathBuf,
    pub chapters: Vec<Chapter>,
    pub jobs: usize,
    /// Only these keys, and those again.
    pub again: Vec<String>,
    pub shard: Option<Shard>,
    /// A file with the secret that inputs are drawn from. Otherwise the folder of results has one.
    pub seed: Option<PathBuf>,
    pub scheme: Scheme,
    /// The text of the scheme.
    pub scheme_text: String,
    pub level: Level,
    /// What is laid over the course.
    pub with: Option<With>,
    /// Who has which variant.
    pub variants: Option<Variants>,
}

/// A part of all submissions. Which one a submission is in depends on its key alone, so that machines that
/// list them in different orders agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    pub count: usize,
}

impl Shard {
    fn has(self, key: &str) -> bool {
        fnv1a(key.as_bytes()) % self.count as u64 == self.index as u64
    }
}

/// Grades. The exit status is 3 if some results are no verdicts: another run tries them again.
///
/// # Errors
///
/// Nothing can be graded, or a result cannot be written. The results until then are kept.
pub fn run(options: &Options) -> Result {
    let start = Instant::now();
    let Found { mut handed, ignored } = match (&options.one, options.submissions.as_slice()) {
        (None, places) => find(places)?,
        (Some(key), [place]) => one(place, key)?,
        (Some(_), _) => {
            return Err(Failure::usage("`--one` is about one submission").help("name one place"));
        }
    };
    for name in &ignored {
        screen::warn(&format!("note: `{}` is no submission\n", plain(name)));
    }
    for key in &options.again {
        let keys = || handed.iter().map(|handed| handed.key.as_str());
        if !keys().any(|known| known == key) {
            let failure = Failure::usage(format!("no submission has the key `{key}`"));
            return Err(match nearest(key, keys()) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure,
            });
        }
    }
    handed.retain(|handed| {
        options.shard.is_none_or(|shard| shard.has(&handed.key))
            && (options.again.is_empty() || options.again.contains(&handed.key))
    });
    let store = Store::open(&options.out, options.level)?;
    let secret = match &options.seed {
        Some(file) => secret_in(file)?,
        None => store.secret()?,
    };
    let with = options.with.as_ref();
    let mut course = Course::prepare(&options.chapters, &options.scheme_text, with)?;
    complain_of_scheme(&options.scheme, &course)?;
    if let Some(variants) = &options.variants {
        complain_of_variants(&options.scheme, &course)?;
        course.revision.variants = variants.digest();
    }
    let examination = doctor::examine();
    complain_of_machine(&examination, &course)?;
    let run = Run {
        options,
        store,
        secret,
        provenance: provenance(&course, &examination),
        course,
        handed,
        next: AtomicUsize::new(0),
        progress: Mutex::new(Progress::new()),
        compiler: Mutex::default(),
    };
    run.work()?;
    let progress = run.progress.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    screen::print(&progress.summary(start.elapsed()));
    Ok(match progress.count(|outcome| !outcome.is_judged()) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    })
}

/// The secret in a file of the teacher's.
fn secret_in(file: &Path) -> Result<Vec<u8>> {
    const LEAST: usize = 16;
    let secret = fs::read(file).map_err(|error| {
        Failure::usage(format!("could not read `{}`: {error}", file.display()))
            .help(format!("`head -c 32 /dev/urandom > {}` makes one", file.display()))
    })?;
    if secret.len() < LEAST {
        let message = format!("the secret in `{}` has {} bytes", file.display(), secret.len());
        return Err(Failure::usage(message).help(format!("it needs {LEAST}")));
    }
    Ok(secret)
}

/// A scheme that names what is not there gives points for nothing.
fn complain_of_scheme(scheme: &Scheme, course: &Course) -> Result<()> {
    let all = Chapter::all()?;
    for (name, steps) in scheme.named() {
        let names = || all.iter().map(|chapter| chapter.name.as_str());
        if !names().any(|known| known == name) {
            let failure = Failure::usage(format!("the scheme of points names `{name}`"));
            return Err(failure.help(match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "chapters are called as their folders: `ch02-unshare`".to_owned(),
            }));
        }
        let Some(graded) = course.chapters.iter().find(|graded| graded.chapter.name == name) else {
            continue;
        };
        let is_there =
            |step: &&str| graded.steps.iter().any(|known| known.number.to_string() == **step);
        if let Some(step) = steps.iter().find(|step| !is_there(step)) {
            return Err(Failure::usage(format!(
                "the scheme of points names step {step} of {name}, which has {}",
                graded.steps.len()
            )));
        }
    }
    Ok(())
}

/// A chapter without variants would be checked as it stands on its page, and so would a further step.
fn complain_of_variants(scheme: &Scheme, course: &Course) -> Result<()> {
    let with_variants = variant::chapters()?;
    for graded in &course.chapters {
        let Chapter { name } = &graded.chapter;
        if !with_variants.contains(&graded.chapter) {
            let names: Vec<_> = with_variants.iter().map(|it| it.name.as_str()).collect();
            return Err(Failure::usage(format!("{name} has no variants"))
                .help(format!("`--chapters` may name {}", names.join(", "))));
        }
        let counts = |step: &&xtask::shared::steps::Step| {
            step.further && scheme.worth(name, step.number, true) > Points::ZERO
        };
        if let Some(step) = graded.steps.iter().find(counts) {
            let failure = Failure::usage(format!(
                "the scheme gives points for step {} of {name}, which goes further",
                step.number
            ));
            return Err(failure.help("the steps that go further have no variants"));
        }
    }
    Ok(())
}

/// Where no chapter can be checked, no submission is tried.
fn complain_of_machine(examination: &Examination, course: &Course) -> Result<()> {
    let can = |graded: &course::Graded| examination.can_check(graded.chapter.number());
    if course.chapters.iter().any(can) {
        return Ok(());
    }
    let refused = examination.findings.iter().find_map(|finding| match &finding.answer {
        Answer::Refused(refusal, advice) => Some((refusal, advice)),
        _ => None,
    });
    let failure = Failure::machine(match refused {
        Some((refusal, advice)) => {
            format!("this machine cannot grade: {refusal}\n{}", advice.cause)
        }
        None => "this machine cannot grade".to_owned(),
    });
    Err(failure.help("`cargo xtask doctor` says what to change; no submission has lost a point"))
}

fn provenance(course: &Course, examination: &Examination) -> Provenance {
    let mut doctor = Digest::default();
    for finding in &examination.findings {
        doctor.add(finding.name);
        doctor.add(match &finding.answer {
            Answer::Works => "works".to_owned(),
            Answer::Refused(refusal, _) | Answer::Newer(refusal, _) => refusal.to_string(),
            Answer::NotTried(other) => other.clone(),
        });
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Provenance {
        course: course.revision.clone(),
        kernel: kernel.trim().to_owned(),
        toolchain: course.compiler.version.clone(),
        doctor: doctor.text(),
        submission: Submission::default(),
        graded: String::new(),
    }
}

struct Run<'a> {
    options: &'a Options,
    store: Store,
    /// What nobody knows who hands something in.
    secret: Vec<u8>,
    course: Course,
    /// What is the same for all results.
    provenance: Provenance,
    handed: Vec<Handed>,
    /// The next program: submissions times chapters.
    next: AtomicUsize,
    progress: Mutex<Progress>,
    /// The chapters of which it is known that the compiler compiles a program here.
    compiler: Mutex<BTreeSet<String>>,
}

impl Run<'_> {
    /// All programs, several at a time, until one cannot be kept.
    fn work(&self) -> Result<()> {
        let total = self.handed.len() * self.course.chapters.len();
        let jobs = self.options.jobs.clamp(1, total.max(1));
        thread::scope(|scope| {
            let start = |number: usize| {
                let work = move || self.worker(number, total);
                thread::Builder::new().spawn_scoped(scope, work)
            };
            let threads: Vec<_> = (0..jobs).map(start).collect();
            let mut done = Ok(());
            for thread in threads {
                let worked = match thread {
                    Ok(thread) => thread.join().expect("a worker catches panics"),
                    Err(error) => Err(Failure::thread(&error)),
                };
                done = done.and(worked);
            }
            done
        })
    }

    fn worker(&self, number: usize, total: usize) -> Result<()> {
        let work = self.store.work().join(number.to_string());
        let mut read: Option<(usize, std::result::Result<Files, Trouble>)> = None;
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= total {
                return Ok(());
            }
            let (submission, chapter) =
                (index / self.course.chapters.len(), index % self.course.chapters.len());
            let handed = &self.handed[submission];
            if read.as_ref().is_none_or(|(of, _)| *of != submission) {
                read = Some((submission, self.read(handed)?));
            }
            let Some((_, files)) = &read else { continue };
            let graded = self.grade(handed, files, &self.course.chapters[chapter], &work);
            // The others need not go on to lose their results.
            let graded = graded.inspect_err(|_| self.next.store(total, Ordering::Relaxed))?;
            self.progress().add(graded, total);
        }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// # Errors
    ///
    /// No repository can be read here.
    fn read(&self, handed: &Handed) -> Result<std::result::Result<Files, Trouble>> {
        let read = || {
            let read = catch_unwind(AssertUnwindSafe(|| handed.read()));
            read.unwrap_or_else(|panic| {
                Err(Trouble {
                    cause: "it could not be read".to_owned(),
                    remedy: "pack it again".to_owned(),
                    said: words_of(panic.as_ref()),
                })
            })
        };
        let mut files = read();
        if files.is_err() && handed.is_repository() {
            try_git()?;
            // What was refused for a moment only must cost nothing either.
            files = read();
        }
        Ok(files)
    }

    /// Grades a program, unless that has been done, and keeps what came of it.
    fn grade(
        &self,
        handed: &Handed,
        files: &std::result::Result<Files, Trouble>,
        chapter: &course::Graded,
        work: &Path,
    ) -> Result<Done> {
        let name = &chapter.chapter.name;
        let only = self.course.chapters.len() == 1;
        let files = files.as_ref().map_err(Trouble::clone);
        let sources = files.and_then(|files| sources(files, name, only));
        let before = self.store.result(&handed.key, name);
        if let Some(before) = &before
            && self.options.again.is_empty()
            && self.is_finished(before, &sources)
        {
            return Ok(Done { graded: before.clone(), is_new: false });
        }
        let program = catch_unwind(AssertUnwindSafe(|| match &sources {
            Ok(sources) => self.judge(&handed.key, sources, chapter, work),
            Err(trouble) => Ok(Judged {
                outcome: Some(Outcome::Invalid),
                trouble: Some(trouble.clone()),
                ..Judged::of(check::not_run(chapter, &self.options.scheme))
            }),
        }));
        let judged = program.unwrap_or_else(|panic| {
            let trouble = Trouble {
                cause: "the grader broke".to_owned(),
                remedy: "report it, with this text".to_owned(),
                said: words_of(panic.as_ref()),
            };
            Ok(Judged { outcome: Some(Outcome::Broken), ..self.cannot(chapter, trouble) })
        })?;
        let graded = self.result(handed, &sources, name, judged);
        if let Some(before) = before.filter(|before| !before.agrees_with(&graded)) {
            self.store.note_change(&self.change(&before, &graded))?;
        }
        self.store.keep(&graded)?;
        Ok(Done { graded, is_new: true })
    }

    /// Whether a result is that of the same sources, checked by the same course. What was not judged is
    /// tried again.
    fn is_finished(
        &self,
        before: &Graded,
        sources: &std::result::Result<Sources, Trouble>,
    ) -> bool {
        let is_the_same = match sources {
            Ok(sources) => before.provenance.submission.digest == sources.digest,
            Err(trouble) => {
                let known = before.trouble.as_ref().map(|trouble| &trouble.cause);
                before.outcome == Outcome::Invalid && known == Some(&trouble.cause)
            }
        };
        let Provenance { course, .. } = &before.provenance;
        let now = &self.provenance.course;
        let parts = |it: &result::Course| {
            [&it.digest, &it.scheme, &it.with, &it.variants].map(String::clone)
        };
        let is_by_this_course = parts(course) == parts(now);
        before.outcome.is_judged() && is_by_this_course && is_the_same
    }

    /// Which grade has changed, and why.
    fn change(&self, before: &Graded, now: &Graded) -> String {
        let (old, new) = (&before.provenance, &now.provenance);
        let reasons = [
            (old.submission.digest != new.submission.digest, "another program was handed in"),
            (old.course.digest != new.course.digest, "the course has changed"),
            (old.course.scheme != new.course.scheme, "the scheme of points has changed"),
            (old.course.with != new.course.with, "the private steps or mistakes have changed"),
            (old.course.variants != new.course.variants, "the variants have changed"),
            (!before.outcome.is_judged(), "there was no verdict before"),
            (!now.outcome.is_judged(), "this time there is no verdict"),
        ];
        let mut because: Vec<&str> =
            reasons.iter().filter(|(holds, _)| *holds).map(|(_, reason)| *reason).collect();
        if because.is_empty() {
            because.push("two runs of the same program differ");
        }
        format!(
            "{} {} {}: {} is now {}, because {} (course {} is now {})",
            new.graded,
            now.key,
            now.chapter,
            in_short(before),
            in_short(now),
            because.join(" and "),
            old.course.digest,
            new.course.digest,
        )
    }

    /// Compiles and checks a program.
    fn judge(
        &self,
        key: &str,
        sources: &Sources,
        chapter: &course::Graded,
        work: &Path,
    ) -> Result<Judged> {
        let name = &chapter.chapter.name;
        let variant = match &self.options.variants {
            Some(variants) => match variants.of(key, &chapter.chapter)? {
                Some(variant) => Some(variant),
                None => {
                    let trouble = Trouble {
                        cause: format!("the table of variants does not have the key `{key}`"),
                        remedy: "add a line with it, and grade again".to_owned(),
                        said: String::new(),
                    };
                    return Ok(self.cannot(chapter, trouble));
                }
            },
            None => None,
        };
        let (src, program) = (work.join("src"), work.join("bin").join(name));
        let not_written = |error: io::Error| {
            Failure::file(format!("could not write to `{}`", work.display()), &error)
        };
        lay_out(sources, &src, &program).map_err(not_written)?;
        let start = Instant::now();
        let built = match compile(&self.course, name, &src, &program) {
            Ok(built) => built,
            Err(compile::Trouble::NotWritten(error)) => return Err(not_written(error)),
            Err(compile::Trouble::Refused(refusal)) => {
                let advice = doctor::explain(&refusal);
                let trouble = Trouble {
                    cause: advice.cause,
                    remedy: advice.remedy,
                    said: refusal.to_string(),
                };
                return Ok(self.cannot(chapter, trouble));
            }
        };
        let build = start.elapsed();
        if let Built::No { said, limits } = built {
            let takes = self.try_compiler(name, limits.contains(&Limit::Time))?;
            if takes.is_some_and(|takes| takes > compile::TOO_SLOW) {
                let trouble = Trouble {
                    cause: "the machine is too slow just now".to_owned(),
                    remedy: "grade again when it has less to do".to_owned(),
                    said: format!(
                        "even an empty program took {:.0} s to compile",
                        takes.unwrap_or_default().as_secs_f64()
                    ),
                };
                return Ok(self.cannot(chapter, trouble));
            }
            let words: Vec<_> = limits.iter().map(|limit| limit.word()).collect();
            let cause = match words.as_slice() {
                [] => "the program does not compile".to_owned(),
                _ => format!("the compiler reached a limit: {}", words.join(" or ")),
            };
            let remedy = format!("`cargo build -p {name}` shows it in a checkout of the course");
            return Ok(Judged {
                outcome: Some(Outcome::NotBuilt),
                trouble: Some(Trouble { cause, remedy, said }),
                limits,
                seconds: seconds(build, Duration::ZERO),
                ..Judged::of(check::not_run(chapter, &self.options.scheme))
            });
        }
        let start = Instant::now();
        let seed = self.seed(key, name, sources);
        let file = work.join("variant.json");
        let variant = match variant {
            Some(variant) => {
                fs::write(&file, variant.to_json()).map_err(not_written)?;
                Some(file.as_path())
            }
            None => None,
        };
        let steps = check::check(chapter, &program, &self.options.scheme, &seed, variant);
        let steps = match steps {
            Ok(steps) => steps,
            Err(failure) => {
                let trouble = Trouble {
                    cause: "the machine could not start the check".to_owned(),
                    remedy: failure.advice().to_owned(),
                    said: failure.to_string(),
                };
                return Ok(self.cannot(chapter, trouble));
            }
        };
        Ok(Judged {
            limits: check::limits(&steps),
            seconds: seconds(build, start.elapsed()),
            ..Judged::of(steps)
        })
    }

    /// What the inputs of a program are drawn from. They are the same in every grading of it, alone or in a part;
    /// a program that knows those of an earlier one is another program, and gets others.
    fn seed(&self, key: &str, chapter: &str, sources: &Sources) -> [u8; 16] {
        let mut seed = Digest::default();
        seed.add(&self.secret);
        let course = &self.provenance.course.digest;
        [key, chapter, course, &sources.digest].iter().for_each(|part| seed.add(part));
        seed.bytes()
    }

    /// A program that does not compile loses its points only if an empty one does. If it took too long, so may the
    /// empty one. Returns how long that took, if it was tried.
    ///
    /// # Errors
    ///
    /// The compiler compiles nothing here.
    fn try_compiler(&self, chapter: &str, takes_long: bool) -> Result<Option<Duration>> {
        let mut known = self.compiler.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if known.contains(chapter) && !takes_long {
            return Ok(None);
        }
        let start = Instant::now();
        let work = self.store.work().join("compiler");
        let not_written = |error: io::Error| {
            Failure::file(format!("could not write to `{}`", work.display()), &error)
        };
        fs::create_dir_all(&work).map_err(not_written)?;
        let why = match compile::works(&self.course, chapter, &work) {
            Ok(Built::Yes) => {
                known.insert(chapter.to_owned());
                return Ok(Some(start.elapsed()));
            }
            Ok(Built::No { said, .. }) => said,
            Err(compile::Trouble::Refused(refusal)) => refusal.to_string(),
            Err(compile::Trouble::NotWritten(error)) => return Err(not_written(error)),
        };
        let failure =
            Failure::machine(format!("the compiler compiles nothing in the sandbox:\n{why}"));
        Err(failure.help(
            "it takes a C compiler in /usr, a toolchain whose files everybody may read, and whole crates, which \
             are built anew if the folder `grade` below cargo's target folder is removed; no submission has lost \
             a point",
        ))
    }

    /// The machine is the cause.
    fn cannot(&self, chapter: &course::Graded, trouble: Trouble) -> Judged {
        let steps = check::cannot(chapter, &self.options.scheme);
        Judged { outcome: Some(Outcome::Cannot), trouble: Some(trouble), ..Judged::of(steps) }
    }

    fn result(
        &self,
        handed: &Handed,
        sources: &std::result::Result<Sources, Trouble>,
        chapter: &str,
        judged: Judged,
    ) -> Graded {
        let Judged { outcome, trouble, steps, limits, seconds } = judged;
        let outcome = outcome.unwrap_or_else(|| check::outcome(&steps));
        let mut points = Graded::score(&steps);
        // A chapter whose steps are worth nothing has nothing to judge either.
        points.earned = points.earned.filter(|_| outcome.is_judged());
        let submission = Submission {
            name: handed.name.clone(),
            digest: sources.as_ref().map_or(String::new(), |sources| sources.digest.clone()),
            time: sources.as_ref().map_or(String::new(), |sources| sources.time.clone()),
        };
        Graded {
            schema: SCHEMA,
            key: handed.key.clone(),
            chapter: chapter.to_owned(),
            outcome,
            points,
            trouble: trouble.or_else(|| trouble_of(&steps, outcome)),
            steps,
            limits,
            seconds,
            provenance: Provenance {
                submission,
                graded: utc(SystemTime::now()),
                ..self.provenance.clone()
            },
        }
    }
}

/// A repository that git cannot read is a bad one only if git runs here.
///
/// # Errors
///
/// It does not.
fn try_git() -> Result<()> {
    let refusal = match git_works() {
        Ok(true) => return Ok(()),
        Ok(false) => "there is none in /usr/bin".to_owned(),
        Err(refusal) => refusal.to_string(),
    };
    let failure = Failure::machine(format!("git does not run in the sandbox: {refusal}"));
    Err(failure.help("install git; no submission has lost a point"))
}

/// What came of a program.
#[derive(Default)]
struct Judged {
    /// If not what the steps say.
    outcome: Option<Outcome>,
    trouble: Option<Trouble>,
    steps: Vec<Step>,
    limits: Vec<Limit>,
    seconds: Seconds,
}

impl Judged {
    fn of(steps: Vec<Step>) -> Judged {
        Judged { steps, ..Judged::default() }
    }
}

/// The machine's reason for the first step that it could not run.
fn trouble_of(steps: &[Step], outcome: Outcome) -> Option<Trouble> {
    let wanted = match outcome {
        Outcome::Cannot => StepOutcome::Cannot,
        Outcome::Broken => StepOutcome::Broken,
        _ => return None,
    };
    let step = steps.iter().find(|step| step.outcome == wanted)?;
    let cause = match step.cause.as_str() {
        "" => format!("the check broke at step {}", step.step),
        cause => cause.trim_end_matches('.').to_owned(),
    };
    Some(Trouble { cause, remedy: step.remedy.clone(), said: step.saw.clone() })
}

/// Puts sources into a new folder, readable by the compiler whatever this user's umask is.
fn lay_out(sources: &Sources, src: &Path, program: &Path) -> io::Result<()> {
    if let Some(work) = src.parent()
        && work.exists()
    {
        fs::remove_dir_all(work)?;
    }
    let make = |folder: &Path| {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))
    };
    make(src)?;
    make(program.parent().unwrap_or(src))?;
    for (name, text) in &sources.texts {
        let file = src.join(name);
        for folder in file.ancestors().skip(1).take_while(|folder| *folder != src) {
            make(folder)?;
        }
        fs::write(&file, text)?;
        fs::set_permissions(&file, Permissions::from_mode(0o644))?;
    }
    Ok(())
}

fn seconds(build: Duration, check: Duration) -> Seconds {
    Seconds { build: thousandths(build.as_secs_f64()), check: thousandths(check.as_secs_f64()) }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// The outcome and the points in a few words.
fn in_short(graded: &Graded) -> String {
    match graded.points.earned {
        Some(earned) => format!("{} {earned} of {}", graded.outcome.word(), graded.points.possible),
        None => graded.outcome.word().to_owned(),
    }
}

/// A program that is graded.
struct Done {
    graded: Graded,
    /// Not by an earlier run.
    is_new: bool,
}

/// How far it is.
struct Progress {
    screen: Screen,
    start: Instant,
    outcomes: BTreeMap<&'static str, (Outcome, usize)>,
    done: usize,
    new: usize,
}

impl Progress {
    fn new() -> Progress {
        let (outcomes, start) = (BTreeMap::new(), Instant::now());
        Progress { screen: Screen::stdout(), start, outcomes, done: 0, new: 0 }
    }

    fn add(&mut self, Done { graded, is_new }: Done, total: usize) {
        self.done += 1;
        self.outcomes.entry(graded.outcome.word()).or_insert((graded.outcome, 0)).1 += 1;
        if !is_new {
            return;
        }
        self.new += 1;
        self.screen.clear_line();
        let line = format!("{:24} {:16} {}", graded.key, graded.chapter, in_short(&graded));
        screen::print(&format!("{}\n", plain(&line)));
        let left = total - self.done;
        let each = self.start.elapsed().as_secs_f64() / self.new as f64;
        let left_over = in_time(each * left as f64);
        self.screen.passing(&format!("  {} of {total}, about {left_over} left", self.done));
    }

    fn count(&self, which: impl Fn(Outcome) -> bool) -> usize {
        let outcomes = self.outcomes.values().filter(|(outcome, _)| which(*outcome));
        outcomes.map(|(_, count)| count).sum()
    }

    fn summary(&self, took: Duration) -> String {
        self.screen.clear_line();
        let counts = self.outcomes.iter().map(|(word, (_, count))| format!("{count} {word}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let (new, seconds) = (self.new, took.as_secs_f64());
        let of_earlier = match self.done - new {
            0 => String::new(),
            known => format!(", {known} of them by an earlier run"),
        };
        let per_minute = new as f64 * 60.0 / seconds;
        format!(
            "{} programs: {counts}{of_earlier}\n{seconds:.1} s, {per_minute:.0} a minute\n",
            self.done
        )
    }
}

/// Seconds as people say them.
fn in_time(seconds: f64) -> String {
    match seconds {
        ..100.0 => format!("{seconds:.0} s"),
        ..6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_in_one_shard() {
        let keys: Vec<String> = (0..1000).map(|number| format!("student{number}")).collect();
        for count in [1, 2, 7] {
            let shards = (0..count).map(|index| Shard { index, count });
            let shards: Vec<_> = shards.collect();
            for key in &keys {
                assert_eq!(shards.iter().filter(|shard| shard.has(key)).count(), 1, "{key}");
            }
            for shard in shards {
                let many = keys.iter().filter(|key| shard.has(key)).count();
                assert!(many > 700 / count, "{shard:?}: {many}");
            }
        }
    }

    #[test]
    fn time_is_told_roughly() {
        assert_eq!(
            [7.4, 99.0, 130.0, 7200.0].map(in_time),
            ["7 s", "99 s", "2 min", "2.0 h"].map(str::to_owned)
        );
    }
}
