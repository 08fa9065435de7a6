//! Runs that the tests of several subjects start.

use std::time::{Duration, Instant};

use lab::sandbox::{Sandbox, patience};

/// A shell in the root lab.
pub(crate) fn shell(script: &str) -> Sandbox {
    Sandbox::command("/bin/sh").args(["-c", script])
}

/// Waits until a program has got that far.
#[track_caller]
pub(crate) fn await_that(mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience();
    while !reached() {
        assert!(Instant::now() < deadline, "the program has not got there in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}
