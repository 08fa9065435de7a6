//! What the processes of a sandbox are given at their start.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use super::cgroups::LabCgroups;
use super::request::Request;

/// The sandbox's ends of what it shares with the check, beside the socket for messages.
pub(crate) struct Descriptors {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// The read end of a pipe that nothing writes to: it ends when the check does.
    pub(crate) liveness: OwnedFd,
    /// Where a recorder writes the trace; with [`Request::recorded`].
    pub(crate) trace: Option<OwnedFd>,
    /// Closed when the cgroups have been removed; with [`Request::own_cgroups`].
    pub(crate) cgroups_gone: Option<OwnedFd>,
}

impl Descriptors {
    pub(crate) fn to_send(&self) -> Vec<BorrowedFd<'_>> {
        let Descriptors { stdin, stdout, stderr, liveness, trace, cgroups_gone } = self;
        let always = [stdin, stdout, stderr, liveness].into_iter();
        always.chain(trace).chain(cgroups_gone).map(|fd| fd.as_fd()).collect()
    }

    /// What [`Descriptors::to_send`] gave; `None` where less came than the request says.
    pub(crate) fn received(request: &Request, fds: Vec<OwnedFd>) -> Option<Descriptors> {
        let mut fds = fds.into_iter();
        Some(Descriptors {
            stdin: fds.next()?,
            stdout: fds.next()?,
            stderr: fds.next()?,
            liveness: fds.next()?,
            trace: if request.recorded { Some(fds.next()?) } else { None },
            cgroups_gone: if request.own_cgroups.is_some() { Some(fds.next()?) } else { None },
        })
    }
}

/// All that PID 1 and the program's process have from the supervisor.
pub(crate) struct Setup {
    pub(crate) request: Request,
    pub(crate) fds: Descriptors,
    /// Where messages to the check go.
    pub(crate) report: OwnedFd,
    /// The program's end of the socket to the recorder.
    pub(crate) recorder: Option<OwnedFd>,
    pub(crate) cgroups: Option<LabCgroups>,
}
