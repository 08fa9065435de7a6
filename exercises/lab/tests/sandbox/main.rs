//! What the sandbox promises: the check learns how each program ended, the program changes nothing
//! outside, and nothing of it remains.

#[macro_use]
#[path = "../common/skip.rs"]
mod skip;

#[path = "../common/runs.rs"]
mod runs;

mod cgroups;
mod end;
mod limits;
mod mounts;
mod nested_users;
mod refusals;
mod root;
mod start;

use lab::sandbox::{Run, Status, Wait};
use runs::{await_that, shell};

/// Runs a script to its end.
fn finished(script: &str) -> Run {
    let mut run = shell(script).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached, "{script}: {}", run.stderr());
    run
}

fn status(run: &Run) -> Status {
    run.ended().unwrap().status
}
