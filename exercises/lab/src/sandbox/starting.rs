//! The start of a run as the check sees it: what arrives until the program's exec.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::unistd::Pid;

use super::ends::{Ends, Init, Ready};
use super::message::Message;
use super::run::Run;
use crate::env::patience;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::helper::wire::{self, Received, Wire as _};
use crate::look::{Namespaces, Process, mounts};
use crate::sys;

/// A sandbox that is being set up. Dropping it ends that.
pub(crate) struct Starting {
    init: Option<Init>,
    neighbors: HashMap<String, i32>,
    ready: Option<Ready>,
    ends: Ends,
}

impl Starting {
    pub(crate) fn new(ends: Ends) -> Starting {
        Starting { init: None, neighbors: HashMap::new(), ready: None, ends }
    }

    /// Waits until the exec has happened.
    ///
    /// # Errors
    ///
    /// The refusal that a process of the sandbox reports; `EPIPE` when PID 1 was killed from
    /// outside, `ETIMEDOUT` after twice [`patience`]; the open of a file in `/proc`, if that hides
    /// the processes of the sandbox from the check.
    pub(crate) fn finish(mut self) -> Result<Run, Refusal> {
        let failed = |errno| refused(Stage::Supervisor, "the sandbox's set-up")(errno);
        let deadline = Instant::now() + 2 * patience();
        loop {
            let message = self.receive(deadline).map_err(failed)?;
            let mut fds = message.fds.into_iter();
            match Message::from_bytes(&message.bytes) {
                Some(Message::Created) => {
                    self.init = fds.next().map(|pidfd| Init(Process::from_pidfd(pidfd)));
                }
                Some(Message::Failed(refusal)) => return Err(refusal),
                Some(Message::Neighbors(pids)) => self.neighbors = pids.into_iter().collect(),
                Some(Message::Ready { mounts, terminal }) => {
                    self.ready = ready(&mounts, terminal, fds);
                }
                Some(Message::Started) => break,
                Some(Message::Ended(..)) | None => {}
            }
        }
        match (self.init, self.ready) {
            (Some(init), Some(ready)) => {
                // Of all processes inside PID 1 is the one that is hidden first: it is not dumpable.
                look_at(init.0.pid())?;
                Ok(Run::new(ready, self.neighbors, init, self.ends))
            }
            _ => Err(failed(Errno::EPIPE)),
        }
    }

    fn receive(&self, deadline: Instant) -> nix::Result<Received> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let init = self.init.iter().map(|init| init.0.pidfd());
            let mut ready: Vec<_> = [&self.ends.report]
                .into_iter()
                .chain(init)
                .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN))
                .collect();
            match poll(&mut ready, sys::poll_timeout(left)) {
                Ok(0) => return Err(Errno::ETIMEDOUT),
                Ok(_) if ready[0].any() == Some(true) => {
                    return wire::receive(self.ends.report.as_fd())?.ok_or(Errno::EPIPE);
                }
                // PID 1 has ended without a message.
                Ok(_) => return Err(Errno::EPIPE),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// Whether this process may read what `/proc` shows of another one. The mount option hidepid forbids
/// it for a process that this one may not trace (proc(5)).
///
/// # Errors
///
/// The open of a file there.
pub(crate) fn look_at(process: Pid) -> Result<(), Refusal> {
    let status = format!("/proc/{process}/status");
    File::open(&status).map(drop).map_err(refused("others", format!("open({status:?})")))
}

/// What came with [`Message::Ready`].
fn ready(mounts: &str, terminal: bool, mut fds: impl Iterator<Item = OwnedFd>) -> Option<Ready> {
    Some(Ready {
        program: Process::from_pidfd(fds.next()?),
        terminal: if terminal { Some(fds.next()?) } else { None },
        lab: Namespaces::from_fds(fds).ok()?,
        mounts: mounts::parse(mounts),
    })
}
