//! `cargo xtask bench [--runs N] [--no-suite]`: what a sandbox run costs, beside other ways to start a
//! program. `bench box` is about chapter 17's program.
//!
//! What is compared runs in turn, so that a busy moment of the machine affects all of it. The numbers
//! are for reading; no test depends on them. Under `CI_NO_SKIP=1` it is a failure if something of this
//! course cannot be measured. Other programs may be missing.

mod boxes;
mod facts;
mod floor;
mod measure;
mod record;
mod starts;
mod throughput;
mod verdict;

use std::process::ExitCode;

use xtask::shared::arguments::{Argument, Arguments, count};
use xtask::shared::authoring::BENCH;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::print;

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut of_box, mut suite, mut runs) = (false, true, 200);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("runs") => runs = arguments.count("a number of runs")?,
            Argument::Long("no-suite") => suite = false,
            Argument::Value(word) if word == "box" => of_box = true,
            // This command once more, as a part of its own measurements.
            Argument::Long(record::LOAD) => return record::run_load(&arguments.value("a load")?),
            Argument::Long(throughput::WORK) => {
                let (way, runs) = (arguments.value("a way")?, arguments.value("runs")?);
                return throughput::work(&way, count(&runs, "a number of runs")?);
            }
            other => return Err(BENCH.unexpected(other)),
        }
    }
    if of_box {
        return boxes::run(runs);
    }
    let mut missing = starts::print_table(runs)? + throughput::print_table(runs);
    // A checkout may be read-only, for example. The tables above hold all the same.
    let mut or_say = |what: &str, printed: Result<()>| {
        if let Err(failure) = printed {
            print(&format!("\n{what}: not measured: {failure}\n"));
            missing += 1;
        }
    };
    or_say("from an edit to the verdict", verdict::after_an_edit(runs.min(15)));
    or_say("recording", record::print_table(runs.min(15)));
    if suite {
        or_say("the whole suite", verdict::whole_suite());
    }
    if missing > 0 && std::env::var_os("CI_NO_SKIP").is_some() {
        return Err(Failure::new("a part of the measurements is missing"));
    }
    Ok(ExitCode::SUCCESS)
}
