//! What is left of a program that was killed with SIGKILL.

use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::look::Process;
use lab::sandbox::{Run, Sandbox, patience};
use nix::unistd::Pid;

use super::Attempt;
use crate::report::Report;

pub const NO_PROCESS: &str = "no process";
pub const A_PROCESS: &str = "a process";

/// How long all processes have to sleep until the check takes them to be left for good.
const STILL: Duration = Duration::from_millis(200);

/// Waits until `done`, but not longer than a check's patience.
pub fn until(done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience();
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(1));
    }
    true
}

/// Kills the program, and returns whether a process is left.
pub fn left_of_a_killed(run: &Run) -> &'static str {
    run.program().kill();
    left_beside(run, &[])
}

/// The same if it is killed between the birth of its first child and that child's first instruction. The
/// script stops itself, and becomes the program when it goes on.
pub fn left_of_an_orphan(report: &mut Report, script: Sandbox) -> &'static str {
    let run = Attempt::start(script.unrecorded()).run;
    if !until(|| run.program().state() == Some('T')) {
        return "nothing could be killed";
    }
    let known: Vec<_> = run.processes().iter().map(Process::pid).collect();
    match run.orphan_first_child() {
        Ok(true) => left_beside(&run, &known),
        Ok(false) => "there was no child",
        Err(errno) => {
            let why =
                format!("this machine does not let a process be held with ptrace(2) ({errno})");
            report.skip("whether a child that had not run ends", &why);
            NO_PROCESS
        }
    }
}

/// Whether a process is left of a program that was killed, except `known` ones. A process that is about to
/// die is not asleep, because a SIGKILL wakes it, and so does the end of a pipe that it reads.
fn left_beside(run: &Run, known: &[Pid]) -> &'static str {
    let deadline = Instant::now() + patience();
    // Until it has ended, its children still have it as their parent.
    _ = run.program().await_end(patience());
    let mut last_awake = Instant::now();
    loop {
        let mut left = run.processes();
        left.retain(|process| !known.contains(&process.pid()));
        let Some(first) = left.first() else { return NO_PROCESS };
        if left.iter().any(|process| process.state() != Some('S')) {
            last_awake = Instant::now();
        }
        if last_awake.elapsed() > STILL || Instant::now() > deadline {
            return A_PROCESS;
        }
        _ = first.await_end(Duration::from_millis(5));
    }
}
