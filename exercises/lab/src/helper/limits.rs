//! The resource limits (setrlimit(2)) on which every program of a sandbox may rely.
//!
//! They are the same on every machine, because a right program must not fail by a limit of the
//! machine on which it is checked. A soft limit is raised; a hard limit that is lower is a refusal.

use std::sync::Once;

use nix::errno::Errno;
use nix::sys::resource::{self, Resource, rlim_t};

use super::refusal::{Refusal, refused};
use crate::sys;

/// Processes and threads alive at once.
pub const PROCESSES: u64 = 160;

/// The soft and the hard limit of this process, as numbers that are the same on every architecture.
pub(crate) fn getrlimit(resource: Resource) -> nix::Result<(u64, u64)> {
    resource::getrlimit(resource).map(|(soft, hard)| (sys::wide(soft), sys::wide(hard)))
}

pub(crate) fn setrlimit(resource: Resource, soft: u64, hard: u64) -> nix::Result<()> {
    resource::setrlimit(resource, soft as rlim_t, hard as rlim_t)
}

/// A limit that each program gets.
pub(crate) struct Given {
    pub(crate) resource: Resource,
    pub(crate) value: u64,
    /// Its name as an option of prlimit(1).
    option: &'static str,
}

const fn given(resource: Resource, value: u64, option: &'static str) -> Given {
    Given { resource, value, option }
}

pub(crate) const GIVEN: [Given; 7] = [
    given(Resource::RLIMIT_NPROC, PROCESSES, "nproc"),
    given(Resource::RLIMIT_AS, 1 << 30, "as"),
    given(Resource::RLIMIT_DATA, 1 << 30, "data"),
    given(Resource::RLIMIT_CPU, 20, "cpu"),
    given(Resource::RLIMIT_FSIZE, 16 << 20, "fsize"),
    given(Resource::RLIMIT_NOFILE, 256, "nofile"),
    // The kernel's default for each user.
    given(Resource::RLIMIT_MSGQUEUE, 819_200, "msgqueue"),
];

/// Raises the limits of this process that are lower, and so those of the supervisor and of all
/// sandboxes: the hard ones where that is allowed (to root), otherwise the soft ones.
pub(crate) fn raise() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for given in GIVEN {
            let (resource, ample) = (given.resource, given.ample());
            let Ok((soft, hard)) = getrlimit(resource) else { continue };
            if soft < ample && setrlimit(resource, ample, hard.max(ample)).is_err() {
                // What is still missing is what `arrange` reports.
                _ = setrlimit(resource, hard.min(ample), hard);
            }
        }
    });
}

/// Raises the limits, and looks whether that was enough.
///
/// # Errors
///
/// The first limit that is too low.
pub fn arrange() -> Result<(), Refusal> {
    raise();
    match GIVEN.iter().find(|given| given.is_too_low()) {
        Some(Given { resource, value, .. }) => {
            Err(refused("limits", format!("setrlimit({resource:?}, {value})"))(Errno::EPERM))
        }
        None => Ok(()),
    }
}

/// A hard limit of this process that is too low for a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLow {
    /// `RLIMIT_NOFILE`
    pub name: String,
    pub hard: u64,
    /// What it should be.
    pub needed: u64,
    /// The option of prlimit(1) that raises it: `--nofile=256`.
    pub option: String,
}

/// All of them.
pub fn too_low() -> Vec<TooLow> {
    raise();
    let too_low = GIVEN.iter().filter(|given| given.is_too_low());
    too_low
        .map(|given| TooLow {
            name: format!("{:?}", given.resource),
            hard: getrlimit(given.resource).map_or(0, |(_, hard)| hard),
            needed: given.value,
            option: format!("--{}={}", given.option, given.ample()),
        })
        .collect()
}

impl Given {
    /// What this process should have, to give it: of processes more, because all of a user count, in
    /// several sandboxes and outside.
    fn ample(&self) -> u64 {
        match self.resource {
            Resource::RLIMIT_NPROC => 20 * self.value,
            _ => self.value,
        }
    }

    fn is_too_low(&self) -> bool {
        getrlimit(self.resource).is_ok_and(|(_, hard)| hard < self.value)
    }
}
