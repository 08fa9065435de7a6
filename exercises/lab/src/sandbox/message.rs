//! The messages from the processes of a sandbox to the check.

use std::os::fd::{AsFd, BorrowedFd};

use crate::helper::refusal::Refusal;
use crate::helper::wire::{self, Wire as _, wire};

/// How a process ended: wait(2)'s two cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Exited(i32),
    Killed(i32),
}

/// Why the sandbox's PID 1 ended a run before the program did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    Memory,
    Processes,
}

/// How the program ended, and what it left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub status: Status,
    /// Children that had ended and that it had not waited for: PID 1 reaped them in its place.
    pub orphaned: u64,
    /// Names of its processes that were still alive.
    pub left_running: Vec<String>,
}

impl Ended {
    /// PID 1 was killed, and the program with it.
    pub(crate) const KILLED: Ended =
        Ended { status: Status::Killed(libc::SIGKILL), orphaned: 0, left_running: Vec::new() };
}

/// One message to the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// From the supervisor; with a pidfd of the sandbox's PID 1.
    Created,
    /// From the process that met it. Nothing follows.
    Failed(Refusal),
    /// The pids of the neighbors and their threads inside the sandbox.
    Neighbors(Vec<(String, i32)>),
    /// From the program's process before its exec; with a pidfd of it, the master side of its
    /// terminal if it has one, and the descriptors of its namespaces ([`crate::look::Kind`]'s
    /// order, without those that the kernel lacks).
    Ready {
        /// Its mountinfo: the mounts that it finds.
        mounts: String,
        terminal: bool,
    },
    /// The exec has happened.
    Started,
    /// The program has ended, or was stopped because it used too much.
    Ended(Ended, Option<Excess>),
}

wire!(enum Status { 0 => Exited(code), 1 => Killed(signal) });
wire!(enum Excess { 0 => Memory, 1 => Processes });
wire!(struct Ended { status, orphaned, left_running });
wire!(enum Message {
    0 => Created,
    1 => Failed(refusal),
    2 => Neighbors(pids),
    3 => Ready { mounts, terminal },
    4 => Started,
    5 => Ended(ended, excess),
});

impl Message {
    pub(crate) fn send(&self, socket: BorrowedFd, fds: &[BorrowedFd]) -> nix::Result<()> {
        wire::send(socket, &self.to_bytes(), fds)
    }
}

/// Sends the refusal to the check. If that fails too, no one is left to report it to.
pub(crate) fn fail(socket: impl AsFd, refusal: Refusal) {
    _ = Message::Failed(refusal).send(socket.as_fd(), &[]);
}
