//! The steps of a check, and running one of them.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use harness::env;
use harness::look::Process;
use harness::sandbox::patience;
use harness::verdict::{Outcome, Verdict};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::shared::chapter::{Chapter, root};
use crate::shared::failure::{Failure, Result};
use crate::shared::with::With;

/// A test of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub number: u32,
    /// Whether a chapter is solved without it.
    pub further: bool,
    /// `step1_command_has_a_uts_namespace_of_its_own`
    pub name: String,
    /// `command has a uts namespace of its own`
    pub title: String,
    /// The working directory of a test of the exercise, as with cargo.
    pub folder: PathBuf,
    /// A folder with private mistakes.
    pub with: Option<PathBuf>,
}

/// The steps of a check that is built, in order. The check lists them itself. `with` is what is laid over the
/// course.
pub fn steps(chapter: &Chapter, check: &Path, with: Option<&With>) -> Result<Vec<Step>> {
    let output = Command::new(check).arg("--list").current_dir(chapter.exercise()).output();
    let output = output.map_err(|error| not_started(check, error))?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let mut steps: Vec<Step> =
        names.filter_map(|name| Step::new(name, chapter.exercise())).collect();
    steps.sort_by_key(|step| step.number);
    if let Some(with) = with {
        steps.iter_mut().for_each(|step| step.with = Some(with.folder().to_owned()));
    }
    if let Some(two) = steps.windows(2).find(|two| two[0].number == two[1].number) {
        let failure = Failure::usage(format!("{} has two steps {}", chapter.name, two[0].number));
        return Err(failure.help("give a private step a number that the chapter does not have"));
    }
    match steps.is_empty() {
        true => Err(Failure::new(format!("the check of {} has no step", chapter.name))),
        false => Ok(steps),
    }
}

impl Step {
    /// A step of that name, `step1_title_in_words` or `further4_title_in_words`. A private one is in a module.
    fn new(name: &str, folder: PathBuf) -> Option<Step> {
        let own = name.rsplit("::").next().unwrap_or(name);
        let (further, rest) = match own.strip_prefix("further") {
            Some(rest) => (true, rest),
            None => (false, own.strip_prefix("step")?),
        };
        let (number, title) = rest.split_once('_')?;
        Some(Step {
            number: number.parse().ok()?,
            further,
            name: name.to_owned(),
            title: title.replace('_', " "),
            folder,
            with: None,
        })
    }

    /// The file of a private step.
    pub fn private_file(&self, chapter: &Chapter) -> Option<PathBuf> {
        let is_private = self.name.contains("::");
        self.with.as_ref().filter(|_| is_private).map(|folder| With::steps_in(folder, chapter))
    }
}

/// One run of one step.
#[derive(Clone)]
pub struct StepRun {
    pub verdict: Verdict,
    /// What the check printed.
    pub output: String,
    pub seconds: f64,
    /// Where its trace is, if it was recorded.
    pub trace: Option<PathBuf>,
}

impl StepRun {
    pub fn outcome(&self) -> Outcome {
        self.verdict.outcome
    }
}

/// How long a check waits for each thing on most machines.
const USUAL: Duration = Duration::from_secs(5);

/// When a check that hangs is ended. The harness has its own deadlines, [`patience`] for each thing that
/// it awaits, so this one is late: a minute, or more if the patience is longer than the usual five
/// seconds, but not more than a day.
fn backstop(patience: Duration) -> Duration {
    patience.saturating_mul(12).clamp(Duration::from_secs(60), Duration::from_secs(24 * 60 * 60))
}

/// What is otherwise than in the chapter's own check.
#[derive(Clone, Copy, Default)]
pub struct Other<'a> {
    /// A program to be checked in the place of the package's own.
    pub program: Option<&'a Path>,
    /// How many seconds the check waits for each thing, if not the usual five: a program that is known
    /// to hang shows it sooner. On a machine for which [`patience`] is longer, these are longer by as much.
    pub patience: Option<f64>,
    /// What its inputs are drawn from, if they are to be the same ones again.
    pub seed: Option<[u8; 16]>,
    /// A file with the variant of the exercise.
    pub variant: Option<&'a Path>,
    /// Whether labs have a single id also where root starts them.
    pub one_id: bool,
}

impl Other<'_> {
    /// Nothing else than a variant, if there is one.
    pub fn of(variant: Option<&Path>) -> Option<Other<'_>> {
        variant.map(|variant| Other { variant: Some(variant), ..Other::default() })
    }
}

/// Runs one step of a check that is built. `other` replaces the package's own program.
pub fn run_step(check: &Path, step: &Step, other: Option<Other>) -> Result<StepRun> {
    run_or_record(check, step, other, None)
}

/// Starts all these steps at once. A result arrives for each, in the order of the steps. `variant` is a file with
/// the variant of the exercise.
///
/// The threads are not joined: after a failure a reader need not wait for the steps behind it.
pub fn start_all(
    check: &Path,
    steps: &[Step],
    variant: Option<&Path>,
) -> Result<Vec<mpsc::Receiver<Result<StepRun>>>> {
    let start = |step: &Step| {
        let (sender, result) = mpsc::channel();
        let (check, step) = (check.to_owned(), step.clone());
        let variant = variant.map(Path::to_owned);
        // The receiver may be gone by now.
        let work = move || _ = sender.send(run_step(&check, &step, Other::of(variant.as_deref())));
        thread::Builder::new().spawn(work).map_err(|error| Failure::thread(&error))?;
        Ok(result)
    };
    steps.iter().map(start).collect()
}

/// Runs one step with the recorder beside it. The trace goes to a file, and the verdict points at the
/// call that went wrong.
pub fn record_step(
    check: &Path,
    step: &Step,
    other: Option<Other>,
    trace: &Path,
) -> Result<StepRun> {
    run_or_record(check, step, other, Some(trace))
}

fn run_or_record(
    check: &Path,
    step: &Step,
    other: Option<Other>,
    trace: Option<&Path>,
) -> Result<StepRun> {
    // In memory and inherited, so that an interrupted check leaves no file behind.
    let memory = in_memory()?;
    let inherited = memory.as_raw_fd();
    let seed = match other.and_then(|other| other.seed) {
        Some(seed) => Some(holding(&seed)?),
        None => None,
    };
    let start = Instant::now();
    let mut command = Command::new(check);
    command
        .args(["--exact", &step.name, "--nocapture"])
        .env("RUST_BACKTRACE", "0")
        .env(env::ROOT, root())
        .env(env::VERDICT, format!("/proc/self/fd/{inherited}"))
        .current_dir(&step.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(other) = other {
        other.program.map(|program| command.env(env::PROGRAM, program));
        if let Some(seconds) = other.patience {
            let seconds = seconds * patience().as_secs_f64() / USUAL.as_secs_f64();
            command.env(env::PATIENCE, seconds.to_string());
        }
    }
    if let Some(trace) = trace {
        command.env(env::TRACE, trace);
    }
    if other.is_some_and(|other| other.one_id) {
        command.env(env::IDS, "one");
    }
    // An inherited one would be another exercise.
    match other.and_then(|other| other.variant) {
        Some(variant) => command.env(env::VARIANT, variant),
        None => command.env_remove(env::VARIANT),
    };
    match &step.with {
        Some(folder) => command.env(env::WITH, folder),
        None => command.env_remove(env::WITH),
    };
    let seeds = seed.as_ref().map(AsRawFd::as_raw_fd);
    match seeds {
        Some(seed) => command.env(env::SEED, format!("/proc/self/fd/{seed}")),
        None => command.env_remove(env::SEED),
    };
    let prepare = move || {
        // The check must not outlive this process; its sandboxes end with it.
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // Only this child inherits it, and not the checks that are started at the same time.
        for inherited in [Some(inherited), seeds].into_iter().flatten() {
            // SAFETY: the files are open as long as `memory` and `seed`, which are still alive.
            let memory = unsafe { BorrowedFd::borrow_raw(inherited) };
            fcntl(memory, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: prctl and fcntl are async-signal-safe.
    unsafe { command.pre_exec(prepare) };
    let child = command.spawn().map_err(|error| not_started(check, error))?;
    let backstop = backstop(patience());
    let (status, mut output) = wait(child, backstop)?;

    let mut text = String::new();
    // The check has written by a descriptor of its own, so this one is still at the beginning.
    let read = File::from(memory).read_to_string(&mut text);
    let verdict = read.ok().and_then(|_| Verdict::from_json(&text));
    // The exit status must agree: a check that compared nothing has not passed.
    let agrees = |verdict: &Verdict| {
        let code = status.and_then(|status| status.code());
        code == Some(verdict.outcome.exit_status().into())
    };
    let verdict = verdict.filter(agrees).unwrap_or_default();
    match status {
        Some(status) if verdict.outcome == Outcome::Broken => {
            output += &format!("{}\n", how(status));
        }
        Some(_) => {}
        None => output += &format!("it was still running after {} s\n", backstop.as_secs()),
    }
    Ok(StepRun { verdict, output, seconds: start.elapsed().as_secs_f64(), trace: None })
}

/// A file that has no name.
fn in_memory() -> Result<OwnedFd> {
    let memory = memfd_create(c"check", MFdFlags::MFD_CLOEXEC);
    memory.map_err(|errno| Failure::machine(format!("memfd_create(): {errno}")))
}

/// The same, with these bytes in it.
fn holding(bytes: &[u8]) -> Result<File> {
    let mut memory = File::from(in_memory()?);
    let written = memory.write_all(bytes).and_then(|()| memory.rewind());
    written.map_err(|error| Failure::machine(format!("could not write to memory: {error}")))?;
    Ok(memory)
}

fn not_started(check: &Path, error: std::io::Error) -> Failure {
    // EAGAIN, EMFILE, ENOMEM, EACCES: cargo has built it, so it is not for want of a file.
    Failure::machine(format!("could not start `{}`: {error}", check.display()))
        .help("`cargo xtask doctor` tries everything that the exercises need")
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the check ended with status {code} and without a verdict"),
        (_, signal) => format!("the check was killed by signal {}", signal.unwrap_or(0)),
    }
}

/// Waits for the end of a check, at most until the backstop, and collects what it prints.
fn wait(mut child: Child, backstop: Duration) -> Result<(Option<ExitStatus>, String)> {
    let out = child.stdout.take().map(collect);
    let err = child.stderr.take().map(collect);
    let (out, err) = match (out.transpose(), err.transpose()) {
        (Ok(out), Ok(err)) => (out, err),
        (Err(error), _) | (_, Err(error)) => {
            _ = child.kill();
            _ = child.wait();
            return Err(Failure::thread(&error));
        }
    };
    // The pid means this child until it has been waited for.
    let process = Process::open(Pid::from_raw(child.id() as i32));
    let in_time = process.is_ok_and(|process| process.await_end(backstop));
    if !in_time {
        _ = child.kill();
    }
    let status = child.wait().ok().filter(|_| in_time);
    // Another process may still hold a pipe open, so these waits have a limit.
    let text = [out, err].into_iter().flatten();
    let text = text.filter_map(|text| text.recv_timeout(Duration::from_secs(2)).ok());
    Ok((status, text.collect()))
}

/// Reads a pipe to its end, in a thread of its own.
fn collect(mut pipe: impl Read + Send + 'static) -> io::Result<mpsc::Receiver<String>> {
    let (sender, text) = mpsc::channel();
    let read = move || {
        let mut bytes = Vec::new();
        _ = pipe.read_to_end(&mut bytes);
        // The receiver may be gone by now.
        _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    };
    thread::Builder::new().spawn(read)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_number_and_a_title() {
        let step = Step::new("step12_command_has_left", "/".into()).unwrap();
        assert_eq!((step.number, step.title.as_str()), (12, "command has left"));
        let step = Step::new("further4_two_at_once", "/".into()).unwrap();
        assert!(step.further && step.number == 4 && step.title == "two at once");
        let step = Step::new("private::step7_it_is_quiet", "/".into()).unwrap();
        assert!(step.number == 7 && step.name == "private::step7_it_is_quiet");
        for name in ["report", "step_x", "stepx_y", "step1", "further", "further_x"] {
            assert_eq!(Step::new(name, "/".into()), None, "{name}");
        }
    }

    #[test]
    fn a_check_that_says_nothing_has_not_passed() {
        let step = &Step::new("step1_x", "/".into()).unwrap();
        let run = run_step(Path::new("/bin/true"), step, None).unwrap();
        assert_eq!(run.outcome(), Outcome::Broken);
        let run = run_step(Path::new("/bin/false"), step, None).unwrap();
        assert_eq!(run.outcome(), Outcome::Broken);
        assert!(run.output.contains("status 1 and without a verdict"));
    }

    #[test]
    fn patience_with_each_thing_is_patience_with_all() {
        for (patience, wanted) in [(0, 60), (5, 60), (30, 360), (u64::MAX, 86_400)] {
            assert_eq!(backstop(Duration::from_secs(patience)).as_secs(), wanted);
        }
    }

    #[test]
    fn a_check_that_hangs_is_ended() {
        let hanging = Command::new("sleep").arg("60").stdout(Stdio::piped()).spawn().unwrap();
        let (status, output) = wait(hanging, Duration::from_millis(30)).unwrap();
        assert_eq!((status, output.as_str()), (None, ""));
    }
}
