//! Processes that go into a cgroup and use as much as they get, to see whether its limits hold.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::process::exit;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{pipe2, read};

use crate::env::patience;
use crate::helper::supervisor;
use crate::helper::wire::{self, Reader, Writer};
use crate::look::Cgroup;
use crate::sys::{self, Fork};

/// The first byte of a request to the supervisor.
pub(crate) const JOB: u8 = b'f';

impl Cgroup {
    /// Sends a process of ours in, which makes others until fork(2) is refused. How many there were
    /// in the end, it and those of others included; `most` at most.
    ///
    /// # Errors
    ///
    /// `EACCES` without the right to put a process there, `ECHILD` when it could not be started,
    /// `ETIMEDOUT` when it does nothing in there: the cgroup may be frozen.
    pub fn fill_with_processes(&self, most: u64) -> nix::Result<u64> {
        let before = self.read("pids.current")?.parse().map_err(|_| Errno::ENODATA)?;
        match self.fill(Filling::Processes, most.saturating_sub(before))? {
            Some(ours) => Ok(before + ours),
            None => Err(Errno::ECHILD),
        }
    }

    /// Sends a process of ours in, which writes to `most` bytes of memory; where it is stopped by
    /// SIGKILL, `false`. On a machine with swap space that may never happen (cgroup v2 limits that
    /// with another file).
    ///
    /// # Errors
    ///
    /// As for [`Cgroup::fill_with_processes`].
    pub fn fill_with_memory(&self, most: u64) -> nix::Result<bool> {
        Ok(self.fill(Filling::Memory, most)?.is_some())
    }

    fn fill(&self, filling: Filling, most: u64) -> Outcome {
        let (ours, theirs) = wire::pair()?;
        let supervisor = supervisor::socket().map_err(|error| error.errno)?;
        let mut request = Writer(vec![JOB]);
        request.number(filling as u64).number(most).text(&self.folder.to_string_lossy());
        wire::send(supervisor, &request.0, &[theirs.as_fd()])?;
        drop(theirs);
        let answer = wire::receive(ours.as_fd())?.ok_or(Errno::ECHILD)?;
        outcome_in(&answer.bytes)
    }
}

/// What became of who went in: how many there were, or `None` if it was killed.
pub(crate) type Outcome = nix::Result<Option<u64>>;

pub(crate) fn message_of(outcome: Outcome) -> Vec<u8> {
    let mut to = Writer::default();
    match outcome {
        Ok(Some(count)) => to.number(0).number(count),
        Ok(None) => to.number(0),
        Err(errno) => to.number(1).number(errno as u64),
    };
    to.0
}

pub(crate) fn outcome_in(message: &[u8]) -> Outcome {
    let mut from = Reader(message);
    match (from.number(), from.number()) {
        (Some(0), count) => Ok(count),
        // Of one that has no name here, the number is 0.
        (Some(1), Some(errno)) => Err(Errno::from_raw(errno as i32)),
        _ => Err(Errno::EPROTO),
    }
}

/// What a limit is tried with.
#[derive(Clone, Copy)]
enum Filling {
    Processes,
    Memory,
}

/// In the supervisor: forks a process that stays outside and answers on the descriptor when its
/// child, which goes in, has ended. So nobody of ours is left in there by then.
pub(crate) fn fork_filler(body: &[u8], mut fds: std::vec::IntoIter<OwnedFd>) {
    let Some(answer) = fds.next() else { return };
    let mut from = Reader(body);
    let (Some(filling), Some(most), Some(folder)) = (from.number(), from.number(), from.text())
    else {
        return;
    };
    let filling =
        if filling == Filling::Memory as u64 { Filling::Memory } else { Filling::Processes };
    // SAFETY: the supervisor has one thread.
    if let Ok(Fork::Child) = unsafe { sys::fork_into(0) } {
        let outcome = supervise(Path::new(&folder), filling, most);
        _ = wire::send(answer.as_fd(), &message_of(outcome), &[]);
        exit(0);
    }
}

/// Starts who goes in, and waits for the end.
fn supervise(folder: &Path, filling: Filling, most: u64) -> Outcome {
    let (told, tell) = wire::pair()?;
    // SAFETY: this process has one thread.
    if let Fork::Child = unsafe { sys::fork_into(0) }? {
        drop(told);
        _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
        // Who is at home there has the same (`sandbox/limits.rs`): the kernel takes the largest.
        _ = fs::write("/proc/self/oom_score_adj", "1000");
        let entered = fs::write(folder.join("cgroup.procs"), "0");
        let outcome = entered.map_err(|error| sys::errno_of(&error)).map(|()| {
            Some(match filling {
                Filling::Processes => processes(most),
                Filling::Memory => memory(most),
            })
        });
        _ = wire::send(tell.as_fd(), &message_of(outcome), &[]);
        exit(0);
    }
    drop(tell);
    // A cgroup may be frozen, and who is in there with it. Our end is theirs.
    let patience = PollTimeout::try_from(2 * patience()).unwrap_or(PollTimeout::MAX);
    if poll(&mut [PollFd::new(told.as_fd(), PollFlags::POLLIN)], patience)? == 0 {
        return Err(Errno::ETIMEDOUT);
    }
    let told = wire::receive(told.as_fd());
    await_children();
    told?.map_or(Ok(None), |told| outcome_in(&told.bytes))
}

/// Children that do nothing until they are refused, or we are `most`. How many we were.
fn processes(most: u64) -> u64 {
    let Ok((wait, go)) = pipe2(nix::fcntl::OFlag::O_CLOEXEC) else { return 0 };
    let mut count = 1;
    while count < most {
        // SAFETY: this process has one thread.
        match unsafe { sys::fork_into(0) } {
            Ok(Fork::Child) => {
                drop(go);
                // Its end is ours.
                _ = read(&wait, &mut [0]);
                exit(0)
            }
            Ok(Fork::Parent { .. }) => count += 1,
            Err(_) => break,
        }
    }
    drop(go);
    await_children();
    count
}

/// Writes to so many bytes.
fn memory(most: u64) -> u64 {
    const PIECE: usize = 1 << 20;
    let pieces: Vec<_> = (0..most / PIECE as u64).map(|_| vec![1_u8; PIECE]).collect();
    pieces.len() as u64 * PIECE as u64
}

/// Waits until we have none. The supervisor ignores SIGCHLD, and so do we: the kernel reaps, and
/// wait(2) says ECHILD after the last one.
fn await_children() {
    while nix::sys::wait::wait() != Err(Errno::ECHILD) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_survives_the_trip() {
        for outcome in [Ok(Some(7)), Ok(None), Err(Errno::EACCES)] {
            assert_eq!(outcome_in(&message_of(outcome)), outcome);
        }
        assert_eq!(outcome_in(&[]), Err(Errno::EPROTO));
    }
}
