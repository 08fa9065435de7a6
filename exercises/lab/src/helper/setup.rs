//! A sandbox that could not be set up: which call failed, and at which stage.
//!
//! It travels from whichever process met it to the check as data, so that "this machine forbids
//! it" is never taken for "your program failed". [`crate::doctor`] turns stage and errno into a
//! cause and a remedy.

use std::fmt;

use nix::errno::Errno;

use super::wire::{Reader, Writer};
use crate::sys::errno_of;

/// The stages of the set-up, in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Starting the supervisor, passing descriptors.
    Supervisor,
    /// clone(2) with the outer user, mount and PID namespaces.
    Namespaces,
    /// Writing `setgroups`, `uid_map` and `gid_map`.
    Map,
    /// Taking the mounts out of propagation, a tmpfs as new root.
    Mount,
    /// Showing files of this machine read-only.
    Show,
    /// A fresh `/proc`.
    Proc,
    /// pivot_root(2) and the old root's end.
    Pivot,
    /// The inner user and mount namespaces, where the learner's program starts.
    Inner,
    /// The network namespace and its loopback interface.
    Network,
    /// A mount of cgroups (version 2).
    CgroupMount,
    /// Cgroups of the lab's own.
    Cgroups,
    /// The controllers for limits in them.
    CgroupLimits,
    /// The processes staged beside the program.
    Neighbors,
    /// Limits, and the exec itself.
    Start,
}

impl Stage {
    pub const ALL: [Stage; 14] = [
        Stage::Supervisor,
        Stage::Namespaces,
        Stage::Map,
        Stage::Mount,
        Stage::Show,
        Stage::Proc,
        Stage::Pivot,
        Stage::Inner,
        Stage::Network,
        Stage::CgroupMount,
        Stage::Cgroups,
        Stage::CgroupLimits,
        Stage::Neighbors,
        Stage::Start,
    ];

    /// Its name in the doctor's table, `doctor/environments.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Supervisor => "supervisor",
            Stage::Namespaces => "namespaces",
            Stage::Map => "map",
            Stage::Mount => "mount",
            Stage::Show => "show",
            Stage::Proc => "proc",
            Stage::Pivot => "pivot",
            Stage::Inner => "inner",
            Stage::Network => "network",
            Stage::CgroupMount => "cgroup_mount",
            Stage::Cgroups => "cgroup_v2",
            Stage::CgroupLimits => "cgroup_limits",
            Stage::Neighbors => "neighbors",
            Stage::Start => "start",
        }
    }
}

/// The call that failed, as one would type it, its stage and its errno.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError {
    pub stage: Stage,
    pub call: String,
    pub errno: Errno,
}

/// For `map_err`: attaches stage and call to an errno.
pub(crate) fn at(stage: Stage, call: impl Into<String>) -> impl FnOnce(Errno) -> SetupError {
    move |errno| SetupError { stage, call: call.into(), errno }
}

/// The same for errors of the standard library.
pub(crate) fn io_at(
    stage: Stage,
    call: impl Into<String>,
) -> impl FnOnce(std::io::Error) -> SetupError {
    move |error| SetupError { stage, call: call.into(), errno: errno_of(&error) }
}

impl SetupError {
    pub(crate) fn encode(&self, to: &mut Writer) {
        to.number(self.stage as u64).text(&self.call).number(self.errno as u64);
    }

    pub(crate) fn decode(from: &mut Reader) -> Option<SetupError> {
        Some(SetupError {
            stage: *Stage::ALL.get(usize::try_from(from.number()?).ok()?)?,
            call: from.text()?,
            errno: Errno::from_raw(i32::try_from(from.number()?).ok()?),
        })
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let error = std::io::Error::from_raw_os_error(self.errno as i32);
        write!(f, "{}: {error}", self.call)
    }
}

impl std::error::Error for SetupError {}
