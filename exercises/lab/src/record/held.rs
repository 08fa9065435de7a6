//! One side of a race, held back: a child does not run before its parent has been killed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::Result;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::ptrace::{self, Stop};
use crate::look::{Fields, Process};

/// Between two looks for a stop.
const PAUSE: Duration = Duration::from_micros(200);

/// For how many looks in a row a process sleeps that has done all it can do without its child.
const AT_REST: u32 = 10;

/// Lets `parent` run, which a SIGSTOP has stopped, until it has made a child and has nothing else to do;
/// kills it; and lets the child run only then. Returns `false` if it makes no child within `patience`.
///
/// # Errors
///
/// `EPERM` if this process may not trace it, or another one does.
pub(crate) fn orphan_first_child(parent: &Process, patience: Duration) -> Result<bool> {
    let deadline = Instant::now() + patience;
    let before = parent.children().len();
    ptrace::seize_for_children(parent.pid())?;
    parent.signal(Signal::SIGCONT)?;
    let (mut held, mut rests) = (None, 0);
    while rests < AT_REST && Instant::now() < deadline {
        match ptrace::wait(false)? {
            Some((pid, Stop::Ended(_))) if pid == parent.pid() => return Ok(false),
            Some((pid, _)) if held.is_none() && !is_part_of(parent, pid) => held = Some(pid),
            Some((pid, Stop::Signal(signal))) => ptrace::resume(pid, false, signal),
            Some((pid, _)) => ptrace::resume(pid, false, 0),
            None => {
                // It may still have helpers, which end by themselves.
                let waits = parent.state() == Some('S') && parent.children().len() <= before + 1;
                rests = if held.is_some() && waits { rests + 1 } else { 0 };
                sleep(PAUSE);
            }
        }
    }
    parent.kill();
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        match ptrace::wait(false)? {
            Some((pid, Stop::Ended(_))) if pid == parent.pid() => break,
            Some((pid, _)) if Some(pid) != held => ptrace::resume(pid, false, 0),
            Some(_) | None => sleep(PAUSE),
        }
    }
    if let Some(child) = held {
        ptrace::let_go(child);
    }
    Ok(held.is_some())
}

/// Whether a task is one of the threads of a process.
fn is_part_of(process: &Process, task: Pid) -> bool {
    let leader = Fields::status(task).and_then(|status| status.number("Tgid"));
    leader == Some(process.pid().as_raw())
}
