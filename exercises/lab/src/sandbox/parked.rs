//! Witnesses that are parked: processes that the program has started as COMMAND, which wait to be looked
//! at (`witness.rs`).

use std::fs;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use super::root::WITNESS;
use crate::look::Process;
use crate::sys;

/// The signal with which a witness is told its exit status.
const RELEASE: i32 = 64;

/// The signal that a witness blocks when it is ready for the other.
const PARKED: i32 = 63;

/// A value that is no exit status: the witness tries [`CALLS`] and goes on waiting.
const TRY: i32 = 256;

/// The signal that it blocks when it has tried them.
const TRIED: i32 = 62;

/// The first of two signals for each call.
const ANSWERS: i32 = 34;

/// The calls that a witness tries (`CALLS` in `witness.rs`).
const CALLS: [&str; 11] = [
    "unshare",
    "setns",
    "clone with CLONE_NEWUSER",
    "clone without it",
    "clone3",
    "ioctl with TIOCSTI",
    "ioctl with TIOCSTI in the lower half",
    "another ioctl",
    "add_key",
    "request_key",
    "keyctl",
];

/// What comes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Eperm,
    Enosys,
    /// Success, or another errno.
    Other,
}

/// Has a parked witness try some calls, and returns what came of each. `None` if it did not survive that, or
/// does not answer.
pub fn try_calls(witness: &Process, patience: Duration) -> Option<Vec<(&'static str, Answer)>> {
    sys::pidfd_send_value(witness.pidfd().as_fd(), RELEASE, TRY).ok()?;
    let deadline = Instant::now() + patience;
    loop {
        let blocked = witness.bits("SigBlk")?;
        let blocks = |signal: i32| blocked & 1 << (signal - 1) != 0;
        if blocks(TRIED) {
            let answer = |first| match (blocks(first), blocks(first + 1)) {
                (true, _) => Answer::Eperm,
                (_, true) => Answer::Enosys,
                _ => Answer::Other,
            };
            return Some(
                (ANSWERS..)
                    .step_by(2)
                    .zip(CALLS)
                    .map(|(first, call)| (call, answer(first)))
                    .collect(),
            );
        }
        if witness.has_ended() || Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a parked witness blocks for itself, signal 1 in the lowest bit.
pub const WITNESS_BLOCKS: u64 = 1 << (RELEASE - 1) | 1 << (PARKED - 1);

/// The witnesses of a run, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Parked {
    found: Vec<Process>,
    /// How many have been handed out.
    pub(crate) taken: usize,
    /// The status of those that were released; each that is found later gets it at once.
    status: Option<u8>,
}

impl Parked {
    /// Takes in the witnesses among `processes` that are new.
    pub(crate) fn find(&mut self, processes: Vec<Process>) {
        for process in processes {
            // A pid may have been another process's, which has ended.
            let is_known = |known: &Process| known.pid() == process.pid() && !known.has_ended();
            if self.found.iter().any(is_known) || !is_parked(&process) {
                continue;
            }
            if let Some(status) = self.status {
                release(&process, status);
            }
            self.found.push(process);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// The one that was found after `before` others.
    pub(crate) fn get(&self, before: usize) -> Option<Process> {
        self.found.get(before)?.try_clone().ok()
    }

    /// Lets all of them exit with `status`, also those that are found later.
    pub(crate) fn release(&mut self, status: u8) {
        self.status = Some(status);
        self.found.iter().for_each(|witness| release(witness, status));
    }
}

/// Whether it executes the witness, and has come to its wait. Its namespaces cannot change any more then.
///
/// The kernel names the file that a process executes, and an ending process has none (`do_exit` in
/// kernel/exit.c). A copy has the same bytes.
fn is_parked(process: &Process) -> bool {
    let exe = format!("/proc/{}/exe", process.pid());
    let has_length = fs::metadata(&exe).is_ok_and(|file| file.len() == WITNESS.len() as u64);
    has_length
        && fs::read(&exe).is_ok_and(|program| program == WITNESS)
        && process.bits("SigBlk").is_some_and(|blocked| blocked & 1 << (PARKED - 1) != 0)
}

fn release(witness: &Process, status: u8) {
    // If it has ended, there is nothing to release.
    _ = sys::pidfd_send_value(witness.pidfd().as_fd(), RELEASE, status.into());
}
