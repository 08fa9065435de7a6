//! The steps of a check, and running one of them.

use std::io::Read;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use harness::look::Process;
use harness::sandbox::patience;
use harness::verdict::{self, Verdict};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::shared::chapter::read;
use crate::shared::failure::{Failure, Result};

/// A test function of a `tests/check.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) number: u32,
    /// `step1_command_has_a_uts_namespace_of_its_own`
    pub(crate) name: String,
    /// `command has a uts namespace of its own`
    pub(crate) title: String,
    /// What is asked: its doc comment.
    pub(crate) asked: String,
    /// Where it begins in the file, from 1.
    pub(crate) line: usize,
    /// The exercise's: where cargo would run it.
    pub(crate) folder: PathBuf,
}

/// The steps that stand in a check, in order.
pub(crate) fn steps(check: &Path) -> Result<Vec<Step>> {
    let text = read(check)?;
    let folder = check.ancestors().nth(2).unwrap_or(Path::new("/"));
    let mut steps = parse(&text, folder);
    steps.sort_by_key(|step| step.number);
    match steps.is_empty() {
        true => Err(Failure::new(format!("`{}` has no step", check.display()))),
        false => Ok(steps),
    }
}

fn parse(text: &str, folder: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut asked = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(doc) = line.strip_prefix("///") {
            asked.push(doc.trim());
        } else if let Some(step) = step_name(line) {
            let (number, title) = step;
            steps.push(Step {
                number,
                name: format!("step{number}_{title}"),
                title: title.replace('_', " "),
                asked: asked.join(" "),
                line: index + 1,
                folder: folder.to_owned(),
            });
        } else if !line.starts_with("#[") {
            asked.clear();
        }
    }
    steps
}

/// Number and title of `fn step1_title() {`.
fn step_name(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.strip_prefix("fn step")?.split_once('_')?;
    Some((number.parse().ok()?, rest.split_once('(')?.0))
}

/// How a step turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// This machine could not run it.
    Cannot,
    /// The check itself broke: it ended without a verdict.
    Broken,
}

impl Outcome {
    /// As `--json` and JUnit have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Cannot => "cannot",
            Outcome::Broken => "broken",
        }
    }
}

/// One run of one step.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    pub(crate) verdict: Verdict,
    /// What the check printed.
    pub(crate) output: String,
    pub(crate) seconds: f64,
    /// Where its trace is, if it was recorded.
    pub(crate) trace: Option<PathBuf>,
}

/// The harness has its own deadlines, [`patience`] for each thing it awaits. This one is for a check
/// that hangs itself: a minute, and more where each thing may take longer than the usual five
/// seconds. A day is as good as for ever.
fn backstop(patience: Duration) -> Duration {
    patience.saturating_mul(12).clamp(Duration::from_secs(60), Duration::from_secs(24 * 60 * 60))
}

/// A program to be checked in the place of the package's own.
#[derive(Clone, Copy)]
pub(crate) struct Other<'a> {
    pub(crate) program: &'a Path,
    /// How many seconds the check waits for each thing, where the usual five are too many: a
    /// program that is known to hang shows that sooner.
    pub(crate) patience: Option<&'static str>,
}

/// Runs one step of a check that is built. `other` replaces the package's own program.
pub(crate) fn run_step(check: &Path, step: &Step, other: Option<Other>) -> Result<Run> {
    run_or_record(check, step, other, None)
}

/// Runs it once more with the recorder beside it. Its trace goes to a file, and the verdict points
/// at the call that went wrong.
pub(crate) fn record_step(
    check: &Path,
    step: &Step,
    other: Option<Other>,
    trace: &Path,
) -> Result<Run> {
    run_or_record(check, step, other, Some(trace))
}

fn run_or_record(
    check: &Path,
    step: &Step,
    other: Option<Other>,
    trace: Option<&Path>,
) -> Result<Run> {
    // In memory and inherited: an interrupted check leaves no file behind.
    let memory = memfd_create(c"verdict", MFdFlags::MFD_CLOEXEC);
    let memory = memory.map_err(|errno| Failure::new(format!("memfd_create(): {errno}")))?;
    let inherited = memory.as_raw_fd();
    let file = format!("/proc/self/fd/{inherited}");
    let start = Instant::now();
    let mut command = Command::new(check);
    command
        .args(["--exact", &step.name, "--nocapture"])
        .env("INSTA_UPDATE", "no")
        .env("INSTA_OUTPUT", "none")
        .env("RUST_BACKTRACE", "0")
        .env(verdict::FILE, &file)
        .current_dir(&step.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(other) = other {
        command.env(harness::PROGRAM, other.program);
        if let Some(seconds) = other.patience {
            command.env("NAMESPACES_BY_HAND_PATIENCE", seconds);
        }
    }
    if let Some(trace) = trace {
        command.env(verdict::TRACE, trace);
    }
    let prepare = move || {
        // The check must not outlive us; its sandboxes end with it.
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // Only this child inherits it, and not the checks that are started at the same time.
        // SAFETY: the file is open as long as `memory`, which is still alive.
        let memory = unsafe { BorrowedFd::borrow_raw(inherited) };
        fcntl(memory, FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(())
    };
    // SAFETY: prctl and fcntl are async-signal-safe.
    unsafe { command.pre_exec(prepare) };
    let child = command.spawn();
    let child = child
        .map_err(|error| Failure::new(format!("could not start `{}`: {error}", check.display())))?;
    let backstop = backstop(patience());
    let (status, output) = wait(child, backstop);
    let verdict = Verdict::read(Path::new(&file));

    let outcome = match (status, verdict.as_ref().map(|verdict| verdict.outcome.as_str())) {
        // Both must agree: a check that compared nothing has not passed.
        (Some(status), Some("passed")) if status.success() => Outcome::Passed,
        (Some(status), Some("failed")) if !status.success() => Outcome::Failed,
        (Some(_), Some("cannot")) => Outcome::Cannot,
        _ => Outcome::Broken,
    };
    let output = match status {
        Some(status) if outcome == Outcome::Broken => format!("{output}{}\n", how(status)),
        Some(_) => output,
        None => format!("{output}it was still running after {} s\n", backstop.as_secs()),
    };
    let seconds = start.elapsed().as_secs_f64();
    Ok(Run { outcome, verdict: verdict.unwrap_or_default(), output, seconds, trace: None })
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the check ended with status {code} and without a verdict"),
        (_, signal) => format!("the check was killed by signal {}", signal.unwrap_or(0)),
    }
}

/// Waits for the end of a check, at most until the backstop, and collects what it prints.
fn wait(mut child: Child, backstop: Duration) -> (Option<ExitStatus>, String) {
    let out = child.stdout.take().map(collect);
    let err = child.stderr.take().map(collect);
    // Until it has been waited for, the number means this child.
    let process = Process::open(Pid::from_raw(child.id() as i32));
    let in_time = process.is_ok_and(|process| process.await_end(backstop));
    if !in_time {
        _ = child.kill();
    }
    let status = child.wait().ok().filter(|_| in_time);
    // Whoever still holds a pipe open does not hold us up.
    let text = [out, err].into_iter().flatten();
    let text = text.filter_map(|text| text.recv_timeout(Duration::from_secs(2)).ok());
    (status, text.collect())
}

/// Reads a pipe to its end, in a thread of its own.
fn collect(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (tell, text) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        _ = pipe.read_to_end(&mut bytes);
        // Nobody may be waiting any more.
        _ = tell.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_the_source() {
        let text = "/// Not this.\nfn report() {}\n\n/// COMMAND must\n/// leave.\n#[test]\nfn step1_command_has_left() {\n}\n";
        let steps = parse(text, Path::new("/"));
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].name, "step1_command_has_left");
        assert_eq!(steps[0].title, "command has left");
        assert_eq!(steps[0].asked, "COMMAND must leave.");
        assert_eq!((steps[0].number, steps[0].line), (1, 7));
    }

    #[test]
    fn a_check_that_says_nothing_has_not_passed() {
        let step = &parse("fn step1_x() {", Path::new("/"))[0];
        let run = run_step(Path::new("/bin/true"), step, None).unwrap();
        assert_eq!(run.outcome, Outcome::Broken);
        let run = run_step(Path::new("/bin/false"), step, None).unwrap();
        assert_eq!(run.outcome, Outcome::Broken);
        assert!(run.output.contains("status 1 and without a verdict"));
    }

    #[test]
    fn whoever_waits_longer_for_each_thing_waits_longer_for_all() {
        for (patience, wanted) in [(0, 60), (5, 60), (30, 360), (u64::MAX, 86_400)] {
            assert_eq!(backstop(Duration::from_secs(patience)).as_secs(), wanted);
        }
    }

    #[test]
    fn a_check_that_hangs_is_ended() {
        let hanging = Command::new("sleep").arg("60").stdout(Stdio::piped()).spawn().unwrap();
        let (status, output) = wait(hanging, Duration::from_millis(30));
        assert_eq!((status, output.as_str()), (None, ""));
    }
}
