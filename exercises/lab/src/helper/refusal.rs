//! A call that this machine refused: which one, where in the lab, with which errno.
//!
//! It travels to the check as data from the process that met it, so that "this machine forbids it"
//! is never taken for "your program failed". The harness's doctor turns it into a cause and a
//! remedy.

use std::fmt::{self, Display};

use nix::errno::Errno;

use super::wire::wire;
use crate::sys::errno_of;

/// The stages of a sandbox's set-up, in the order in which they happen.
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

    /// Its name in the doctor's table, `environments.toml`.
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

impl Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A stage of the sandbox's set-up or the name of a probe: the keys under `when` in the
    /// doctor's table.
    pub at: String,
    /// The call as one would type it.
    pub call: String,
    pub errno: Errno,
}

wire!(struct Refusal { at, call, errno });

impl Refusal {
    /// `EPERM`, as man pages write it.
    pub fn errno_name(&self) -> String {
        format!("{:?}", self.errno)
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let error = std::io::Error::from_raw_os_error(self.errno as i32);
        write!(f, "{}: {error}", self.call)
    }
}

impl std::error::Error for Refusal {}

/// For `map_err`: attaches a place and a call to an errno, or to an error of the standard library.
pub(crate) fn refused<E: HasErrno>(
    at: impl Display,
    call: impl Into<String>,
) -> impl FnOnce(E) -> Refusal {
    move |error| Refusal { at: at.to_string(), call: call.into(), errno: error.errno() }
}

pub(crate) trait HasErrno {
    fn errno(&self) -> Errno;
}

impl HasErrno for Errno {
    fn errno(&self) -> Errno {
        *self
    }
}

impl HasErrno for std::io::Error {
    fn errno(&self) -> Errno {
        errno_of(self)
    }
}
