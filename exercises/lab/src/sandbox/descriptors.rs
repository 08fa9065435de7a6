//! The descriptors of a run that its processes share.

use std::os::fd::OwnedFd;

use super::cgroups::LabCgroups;

/// The descriptors that come with a request, in this order.
pub(crate) struct Descriptors {
    pub(crate) report: OwnedFd,
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    pub(crate) witness: OwnedFd,
    /// The read end of a pipe that nobody writes to: it ends when the check does.
    pub(crate) liveness: OwnedFd,
    /// The program's end of the socket to the recorder, from the supervisor.
    pub(crate) recorder: Option<OwnedFd>,
    /// The cgroups of the lab's own, from the supervisor.
    pub(crate) cgroups: Option<LabCgroups>,
}

impl Descriptors {
    pub(crate) fn take(fds: &mut impl Iterator<Item = OwnedFd>) -> Option<Descriptors> {
        Some(Descriptors {
            report: fds.next()?,
            stdin: fds.next()?,
            stdout: fds.next()?,
            stderr: fds.next()?,
            witness: fds.next()?,
            liveness: fds.next()?,
            recorder: None,
            cgroups: None,
        })
    }
}
