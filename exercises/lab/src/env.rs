//! The environment variables of the lab. `CONTRIBUTING.md` describes those that a person may set.

use std::env::{var, var_os};
use std::time::Duration;

/// `5.10`: every call that is newer than the oldest kernel of this course answers as that kernel
/// does, so that the ways around them are tested on a new kernel, too.
const KERNEL: &str = "NAMESPACES_BY_HAND_KERNEL";

/// A number of seconds, for [`patience`]. A slow machine may need more.
pub const PATIENCE: &str = "NAMESPACES_BY_HAND_PATIENCE";

/// Set in the environment of the supervisor, and of no other process.
pub(crate) const SUPERVISOR: &str = "NAMESPACES_BY_HAND_SUPERVISOR";

pub(crate) fn pretends_to_be_old() -> bool {
    var_os(KERNEL).is_some_and(|kernel| kernel == "5.10")
}

/// How long a program may take for each thing that is awaited of it: what [`PATIENCE`] says, or five
/// seconds.
pub fn patience() -> Duration {
    let seconds = var(PATIENCE).ok().and_then(|seconds| seconds.parse().ok());
    let seconds = seconds.filter(|seconds| *seconds > 0.0).unwrap_or(5.0);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(5))
}

pub(crate) fn is_supervisor() -> bool {
    var_os(SUPERVISOR).is_some()
}
