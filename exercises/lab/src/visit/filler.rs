//! Processes that enter a cgroup and use as much as they can, to see whether its limits hold.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::process::exit;

use nix::errno::Errno;
use nix::unistd::{pipe2, read};

use crate::env::patience;
use crate::helper::supervisor;
use crate::helper::wire::{self, Wire as _, wire};
use crate::look::Cgroup;
use crate::sys::{self, Fork};

/// The first byte of a request to the supervisor.
pub(crate) const JOB: u8 = b'f';

impl Cgroup {
    /// Sends a process in, which makes others until fork(2) is refused. Returns how many there were
    /// in the end, the ones that were there before included; `most` at most.
    ///
    /// # Errors
    ///
    /// `EACCES` without the right to put a process there, `ECHILD` when it was killed, `ETIMEDOUT`
    /// when it does not come to an end: the cgroup may be frozen.
    pub fn fill_with_processes(&self, most: u64) -> nix::Result<u64> {
        let before = self.read("pids.current")?.parse().map_err(|_| Errno::ENODATA)?;
        match self.fill(Filling::Processes, most.saturating_sub(before))? {
            Some(added) => Ok(before + added),
            None => Err(Errno::ECHILD),
        }
    }

    /// Sends a process in, which writes to `most` bytes of memory; `false` if it is killed. On a
    /// machine with swap space that may never happen, because another file limits that
    /// (`memory.swap.max`).
    ///
    /// # Errors
    ///
    /// As for [`Cgroup::fill_with_processes`].
    pub fn fill_with_memory(&self, most: u64) -> nix::Result<bool> {
        Ok(self.fill(Filling::Memory, most)?.is_some())
    }

    fn fill(&self, with: Filling, most: u64) -> Outcome {
        let folder = self.folder.to_string_lossy().into_owned();
        supervisor::ask::<Outcome>(JOB, &Fill { with, most, folder }, &[])?
    }
}

/// How many there were or how many bytes, or `None` if the process that went in was killed.
type Outcome = nix::Result<Option<u64>>;

/// What to fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) with: Filling,
    pub(crate) most: u64,
    pub(crate) folder: String,
}

/// What a limit is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    Processes,
    Memory,
}

wire!(struct Fill { with, most, folder });
wire!(enum Filling { 0 => Processes, 1 => Memory });

/// In the supervisor: forks a process that stays outside and answers when its child, which goes in,
/// has ended. So no process of this machine's is left in there by then.
pub(crate) fn fork_filler(body: &[u8], socket: OwnedFd, _: Vec<OwnedFd>) {
    supervisor::answer(body, socket, Outcome::Err, |fill: Fill| supervise(&fill));
}

/// Starts the process that goes in, and waits for its end.
fn supervise(fill: &Fill) -> Outcome {
    let (result, tell) = wire::pair()?;
    // SAFETY: this process has one thread.
    if let Fork::Child = unsafe { sys::fork_into(0) }? {
        drop(result);
        _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
        // As high as that of the processes at home there (`sandbox/limits.rs`): among equals the
        // kernel ends the largest.
        _ = fs::write("/proc/self/oom_score_adj", "1000");
        let entered = fs::write(Path::new(&fill.folder).join("cgroup.procs"), "0");
        let outcome = entered.map_err(|error| sys::errno_of(&error)).map(|()| match fill.with {
            Filling::Processes => processes(fill.most),
            Filling::Memory => memory(fill.most),
        });
        _ = wire::send(tell.as_fd(), &outcome.map(Some).to_bytes(), &[]);
        exit(0);
    }
    drop(tell);
    // The cgroup may be frozen, and the child with it. The end of this process ends it.
    if !sys::await_readable(&result, 2 * patience())? {
        return Err(Errno::ETIMEDOUT);
    }
    let result = wire::receive(result.as_fd());
    await_children();
    match result? {
        Some(message) => Outcome::from_bytes(&message.bytes).unwrap_or(Err(Errno::EPROTO)),
        None => Ok(None),
    }
}

/// Forks children that do nothing until that is refused, or there are `most` processes with this
/// one.
fn processes(most: u64) -> u64 {
    let Ok((wait, go)) = pipe2(nix::fcntl::OFlag::O_CLOEXEC) else { return 0 };
    let mut count = 1;
    while count < most {
        // SAFETY: this process has one thread.
        match unsafe { sys::fork_into(0) } {
            Ok(Fork::Child) => {
                drop(go);
                // Until this pipe ends, with the process that forked it.
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

/// Writes to so many bytes, and returns how many.
fn memory(most: u64) -> u64 {
    const PIECE: usize = 1 << 20;
    let pieces: Vec<_> = (0..most / PIECE as u64).map(|_| vec![1_u8; PIECE]).collect();
    pieces.len() as u64 * PIECE as u64
}

/// Waits until there are none. SIGCHLD is ignored, as in the supervisor, so the kernel reaps, and
/// wait(2) fails with ECHILD after the last one.
fn await_children() {
    while nix::sys::wait::wait() != Err(Errno::ECHILD) {}
}
