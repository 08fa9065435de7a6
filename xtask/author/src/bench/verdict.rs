//! How long a learner waits for a verdict, and an author for the tests.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Instant, SystemTime};

use harness::verdict::Outcome;

use super::measure::quantile;
use xtask::shared::cargo::{self, Built, build_check, build_program};
use xtask::shared::chapter::Chapter;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::{Screen, print};
use xtask::shared::steps::{start_all, steps};

/// From saving a file to the verdict, beside what Cargo takes to build the program alone. The solution
/// stands for a learner's program, and a new modification time for an edit: the file keeps its content.
pub(super) fn after_an_edit(runs: usize) -> Result<()> {
    let chapter = Chapter::find("ch2")?;
    let package = format!("{}-solution", chapter.name);
    let file = chapter.solution().join("src/main.rs");
    let check = || match build_check(&package, Screen::stdout())? {
        Built::Yes(check) => Ok(check),
        Built::No => Err(Failure::new(format!("{package} does not compile"))),
    };
    // What decides whether the chapter is solved, run as `check` runs it: all steps at once.
    let mut steps = steps(&chapter, &check()?, None)?;
    steps.retain(|step| !step.further);
    let pass = |check: &Path| -> Result<()> {
        for (step, result) in steps.iter().zip(start_all(check, &steps, None)?) {
            let run = result.recv().map_err(|_| Failure::new("a step was not run"))??;
            if run.outcome() != Outcome::Passed {
                return Err(Failure::new(format!("{package} does not pass {}", step.name)));
            }
        }
        Ok(())
    };
    let verdict = || pass(&check()?);
    let build = || build_program(&package, Screen::stdout()).map(drop);
    // Both once without counting, so that everything is built.
    verdict()?;
    build()?;
    let check = check()?;
    let (mut verdicts, mut builds, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        verdicts.push(timed_after_edit(&file, verdict)?);
        builds.push(timed_after_edit(&file, build)?);
        let start = Instant::now();
        pass(&check)?;
        alone.push(start.elapsed().as_secs_f64());
    }
    let (verdict, build) = (quantile(&verdicts, 0.5), quantile(&builds, 0.5));
    print(&format!(
        "\nfrom an edit to the verdict of {} steps: {verdict:.2} s; cargo build of the program alone: {build:.2} s\n\
         the steps alone, outside Cargo: {:.0} ms; bar: 150 ms\n",
        steps.len(),
        quantile(&alone, 0.5) * 1000.0
    ));
    Ok(())
}

fn timed_after_edit(file: &Path, work: impl Fn() -> Result<()>) -> Result<f64> {
    let touched = File::options().append(true).open(file);
    let touched = touched.and_then(|file| file.set_modified(SystemTime::now()));
    touched.map_err(|error| {
        Failure::new(format!("could not change the time of `{}`: {error}", file.display()))
    })?;
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

/// `cargo test`, with everything built before.
pub(super) fn whole_suite() -> Result<()> {
    let run = |words: &[&str]| {
        let mut cargo = cargo::command();
        cargo.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match cargo.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(format!("cargo {}: {status}", words.join(" ")))),
            Err(error) => Err(cargo::not_started(error)),
        }
    };
    run(&["test", "--no-run"])?;
    let start = Instant::now();
    run(&["test"])?;
    print(&format!("\nthe whole suite, warm: {:.1} s\n", start.elapsed().as_secs_f64()));
    Ok(())
}
