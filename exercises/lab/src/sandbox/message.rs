//! What the processes of a sandbox tell the check while a run goes on.

use std::os::fd::BorrowedFd;

use crate::helper::setup::SetupError;
use crate::helper::wire::{self, Reader, Writer};

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

/// One message to the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// From the supervisor; with a pidfd of the sandbox's PID 1.
    Created,
    /// From whoever met it. Nothing follows.
    Failed(SetupError),
    /// The pids of the neighbors and their threads inside the sandbox.
    Neighbors(Vec<(String, i32)>),
    /// From the program's process before its exec; with a pidfd of it, the master side of its
    /// terminal, if one was asked for, and the descriptors of its namespaces ([`crate::look::Kind`]
    /// order, without those that the kernel lacks).
    Ready {
        /// Its mountinfo: the mounts that it finds.
        mounts: String,
    },
    /// The exec has happened.
    Started,
    /// The program has ended.
    Ended {
        status: Status,
        excess: Option<Excess>,
        /// Children it left unwaited for: reaped by PID 1 in its place.
        orphaned: u64,
        /// Names of the processes that were still alive.
        left_running: Vec<String>,
    },
}

impl Message {
    pub(crate) fn send(&self, socket: BorrowedFd, fds: &[BorrowedFd]) -> nix::Result<()> {
        wire::send(socket, &self.encode(), fds)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Message::Created => _ = to.number(0),
            Message::Failed(error) => error.encode(to.number(1)),
            Message::Neighbors(pids) => {
                to.number(2).list(pids, |to, (name, pid)| {
                    to.text(name).number(*pid as u64);
                });
            }
            Message::Ready { mounts } => _ = to.number(3).text(mounts),
            Message::Started => _ = to.number(4),
            Message::Ended { status, excess, orphaned, left_running } => {
                let (killed, value) = match *status {
                    Status::Exited(code) => (0, code),
                    Status::Killed(signal) => (1, signal),
                };
                to.number(5).number(killed).number(value as u64);
                to.number(excess.map_or(0, |excess| 1 + excess as u64)).number(*orphaned);
                to.list(left_running, |to, name| {
                    to.text(name);
                });
            }
        }
        to.0
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Message> {
        let mut from = Reader(bytes);
        Some(match from.number()? {
            0 => Message::Created,
            1 => Message::Failed(SetupError::decode(&mut from)?),
            2 => Message::Neighbors(from.list(|from| Some((from.text()?, from.number()? as i32)))?),
            3 => Message::Ready { mounts: from.text()? },
            4 => Message::Started,
            5 => {
                let killed = from.number()? == 1;
                let value = from.number()? as i32;
                Message::Ended {
                    status: if killed { Status::Killed(value) } else { Status::Exited(value) },
                    excess: match from.number()? {
                        1 => Some(Excess::Memory),
                        2 => Some(Excess::Processes),
                        _ => None,
                    },
                    orphaned: from.number()?,
                    left_running: from.list(Reader::text)?,
                }
            }
            _ => return None,
        })
    }
}

/// Sends the error; there is nobody else to tell when that fails too.
pub(crate) fn fail(socket: impl std::os::fd::AsFd, error: SetupError) {
    _ = Message::Failed(error).send(socket.as_fd(), &[]);
}
