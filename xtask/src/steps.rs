//! The steps of a check, and running one of them.

use std::fs;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use harness::look::Process;
use harness::verdict::{self, Verdict};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::Pid;

use crate::failure::{Failure, Result};

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
}

/// The steps that stand in a check, in order.
pub(crate) fn steps(check: &Path) -> Result<Vec<Step>> {
    let text = fs::read_to_string(check)
        .map_err(|error| Failure::new(format!("could not read `{}`: {error}", check.display())))?;
    let mut steps = parse(&text);
    steps.sort_by_key(|step| step.number);
    match steps.is_empty() {
        true => Err(Failure::new(format!("`{}` has no step", check.display()))),
        false => Ok(steps),
    }
}

fn parse(text: &str) -> Vec<Step> {
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
}

/// The harness has its own deadlines, a few seconds for each thing it awaits. This one is for a
/// check that hangs itself.
const BACKSTOP: Duration = Duration::from_secs(60);

/// Runs one step of a check that is built. `program` replaces the package's own.
pub(crate) fn run_step(check: &Path, step: &Step, program: Option<&Path>) -> Result<Run> {
    // In memory and inherited: an interrupted check leaves no file behind.
    let memory = memfd_create(c"verdict", MFdFlags::empty());
    let memory = memory.map_err(|errno| Failure::new(format!("memfd_create(): {errno}")))?;
    let file = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let start = Instant::now();
    let mut command = Command::new(check);
    command
        .args(["--exact", &step.name, "--nocapture"])
        .env("INSTA_UPDATE", "no")
        .env("INSTA_OUTPUT", "none")
        .env("RUST_BACKTRACE", "0")
        .env(verdict::FILE, &file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(program) = program {
        command.env(harness::PROGRAM, program);
    }
    // SAFETY: prctl is async-signal-safe. The check must not outlive us; its sandboxes end with it.
    unsafe {
        command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?));
    }
    let child = command.spawn();
    let child = child
        .map_err(|error| Failure::new(format!("could not start `{}`: {error}", check.display())))?;
    let (status, output) = wait(child);
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
        None => format!("{output}it was still running after {} s\n", BACKSTOP.as_secs()),
    };
    let seconds = start.elapsed().as_secs_f64();
    Ok(Run { outcome, verdict: verdict.unwrap_or_default(), output, seconds })
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the check ended with status {code} and without a verdict"),
        (_, signal) => format!("the check was killed by signal {}", signal.unwrap_or(0)),
    }
}

/// Waits for the end of a check, at most until the backstop, and collects what it prints.
fn wait(mut child: Child) -> (Option<ExitStatus>, String) {
    let pipes = (child.stdout.take(), child.stderr.take());
    let read = |mut pipe: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            _ = pipe.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = pipes.0.map(|pipe| read(Box::new(pipe)));
    let err = pipes.1.map(|pipe| read(Box::new(pipe)));
    // Until it has been waited for, the number means this child.
    let process = Process::open(Pid::from_raw(child.id() as i32));
    let in_time = process.is_ok_and(|process| process.await_end(BACKSTOP));
    if !in_time {
        _ = child.kill();
    }
    let status = child.wait().ok().filter(|_| in_time);
    let text = [out, err].into_iter().flatten().filter_map(|thread| thread.join().ok());
    (status, text.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_the_source() {
        let text = "/// Not this.\nfn report() {}\n\n/// COMMAND must\n/// leave.\n#[test]\nfn step1_command_has_left() {\n}\n";
        let steps = parse(text);
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].name, "step1_command_has_left");
        assert_eq!(steps[0].title, "command has left");
        assert_eq!(steps[0].asked, "COMMAND must leave.");
        assert_eq!((steps[0].number, steps[0].line), (1, 7));
    }

    #[test]
    fn a_check_that_says_nothing_has_not_passed() {
        let step =
            Step { number: 1, name: "x".into(), title: "x".into(), asked: String::new(), line: 1 };
        let run = run_step(Path::new("/bin/true"), &step, None).unwrap();
        assert_eq!(run.outcome, Outcome::Broken);
        let run = run_step(Path::new("/bin/false"), &step, None).unwrap();
        assert_eq!(run.outcome, Outcome::Broken);
        assert!(run.output.contains("status 1 and without a verdict"));
    }
}
