//! What recording costs.
//!
//! The loads are this program once more, inside a sandbox or under strace(1). It makes a number of calls
//! and does nothing else.

use std::ffi::OsStr;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use harness::sandbox::{Sandbox, Status};
use harness::verdict::Outcome;
use nix::sched::{CloneFlags, unshare};

use super::measure::quantile;
use xtask::shared::cargo::{Built, build_check};
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::{Screen, print};
use xtask::shared::steps::{record_step, run_step, steps};

/// The option that turns `bench` into a load.
pub(super) const LOAD: &str = "load";

/// Calls of a load.
const RECORDED: u32 = 1000;
const UNRELATED: u32 = 20_000;

/// Makes the calls.
pub(super) fn run_load(load: &OsStr) -> Result {
    match load.to_str().unwrap_or_default() {
        "nothing" => {}
        "sethostname" => (0..RECORDED).for_each(|_| _ = nix::unistd::sethostname("bench")),
        "unshare" => (0..RECORDED).for_each(|_| _ = unshare(CloneFlags::CLONE_NEWUTS)),
        "getppid" => (0..UNRELATED).for_each(|_| _ = nix::unistd::getppid()),
        unknown => return Err(Failure::usage(format!("there is no load `{unknown}`"))),
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_table(runs: usize) -> Result<()> {
    print(&format!("\nrecording, medians of {runs} runs\n\n"));
    let recorded = |load| medians(runs, || sandboxed(load, true), || sandboxed(load, false));
    for load in ["sethostname", "unshare"] {
        let (with, without) = recorded(load)?;
        let each = (with - without) * 1e6 / f64::from(RECORDED);
        print(&format!("{:52}{each:7.1} µs more\n", format!("a recorded {load}(2)")));
    }
    let (with, without) = recorded("getppid")?;
    ratio(&format!("{UNRELATED} unrelated calls in a recorded run"), with, without);
    match medians(runs, || under_strace("getppid"), || alone("getppid")) {
        Ok((with, without)) => ratio("the same under strace -f", with, without),
        Err(failure) => {
            print(&format!("{:52}not measured: {failure}\n", "the same under strace -f"));
        }
    }
    for chapter in Chapter::all()? {
        let package = format!("{}-solution", chapter.name);
        let Built::Yes(check) = build_check(&package, Screen::stdout())? else {
            return Err(Failure::new(format!("{package} does not compile")));
        };
        let steps = steps(&chapter, &check, None)?;
        let Some(step) = steps.first() else { continue };
        let passed = |run: xtask::shared::steps::StepRun| match run.outcome() {
            Outcome::Passed => Ok(run.seconds),
            _ => Err(Failure::new(format!("{package} does not pass {}", step.name))),
        };
        let trace = std::path::Path::new("/dev/null");
        let recorded = || passed(record_step(&check, step, None, trace)?);
        let (with, without) = medians(runs, recorded, || passed(run_step(&check, step, None)?))?;
        ratio(&format!("the first step of {package}"), with, without);
    }
    print("\nbar: unrelated calls take at most 1.6 times as long in a recorded run\n");
    Ok(())
}

fn ratio(what: &str, with: f64, without: f64) {
    print(&format!("{what:52}{:7.1} ms, {:.2} times the plain run\n", with * 1e3, with / without));
}

/// Both in turn, so that a busy moment of the machine affects both.
fn medians(
    runs: usize,
    with: impl Fn() -> Result<f64>,
    without: impl Fn() -> Result<f64>,
) -> Result<(f64, f64)> {
    // The first run of each fills caches.
    with()?;
    without()?;
    let pairs = (0..runs).map(|_| Ok((with()?, without()?)));
    let (with, without): (Vec<_>, Vec<_>) =
        pairs.collect::<Result<Vec<(f64, f64)>>>()?.into_iter().unzip();
    Ok((quantile(&with, 0.5), quantile(&without, 0.5)))
}

/// What turns this program into a load.
fn words(load: &str) -> [String; 3] {
    ["bench".into(), format!("--{LOAD}"), load.into()]
}

/// Seconds of a load in a sandbox.
fn sandboxed(load: &str, recorded: bool) -> Result<f64> {
    let sandbox = Sandbox::new(own_program()?).args(words(load));
    let start = Instant::now();
    let run = if recorded { sandbox.record() } else { sandbox }.start();
    let mut run = run.map_err(|error| Failure::machine(error.to_string()))?;
    run.await_end();
    let ended = run.ended().map(|ended| ended.status);
    if recorded {
        run.trace().map_err(|why| Failure::machine(why.to_string()))?;
    }
    drop(run);
    let seconds = start.elapsed().as_secs_f64();
    match ended {
        Some(Status::Exited(0)) => Ok(seconds),
        other => Err(Failure::new(format!("the load `{load}` ended with {other:?}"))),
    }
}

fn alone(load: &str) -> Result<f64> {
    timed(Command::new(own_program()?).args(words(load)))
}

fn under_strace(load: &str) -> Result<f64> {
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "--"]).arg(own_program()?);
    timed(command.args(words(load)))
}

fn timed(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let seconds = start.elapsed().as_secs_f64();
    match status {
        Ok(status) if status.success() => Ok(seconds),
        Ok(status) => Err(Failure::new(status)),
        Err(error) => Err(Failure::new(error)),
    }
}

fn own_program() -> Result<std::path::PathBuf> {
    std::env::current_exe()
        .map_err(|error| Failure::new(format!("could not find this program: {error}")))
}
