//! The environment variables that this crate reads: their names and meanings.

use std::sync::OnceLock;
use std::time::Duration;

/// Set by a reader or a test: how many seconds each awaited thing may take, such as `2.5`.
pub const PATIENCE: &str = "NAMESPACES_BY_HAND_PATIENCE";

/// Set by a test to `5.10`: every call that came with a later kernel fails as it does on that one,
/// so that its fallback is tested on a new kernel, too.
pub const KERNEL: &str = "NAMESPACES_BY_HAND_KERNEL";

/// Set by a grader: a file of sixteen bytes, from which [`random`](crate::random()) then draws. A descriptor that only
/// the check inherits, because the environment can be read in `/proc`.
pub const SEED: &str = "NAMESPACES_BY_HAND_SEED";

/// Set by a grader to `one`: a lab has a single id here, as that of an ordinary user has, so that a program gets the
/// same whether root grades it or not.
pub const IDS: &str = "NAMESPACES_BY_HAND_IDS";

/// Set for the supervisor by the process that starts it.
pub(crate) const SUPERVISOR: &str = "NAMESPACES_BY_HAND_SUPERVISOR";

pub(crate) const USUAL_PATIENCE: Duration = Duration::from_secs(5);

/// How long a program may take for each thing that is awaited of it: five seconds, or as many as
/// [`PATIENCE`] says, because a slow machine may need more.
pub fn patience() -> Duration {
    let seconds = std::env::var(PATIENCE).ok().and_then(|seconds| seconds.parse::<f64>().ok());
    let seconds = seconds.filter(|seconds| *seconds > 0.0);
    let patience = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    patience.unwrap_or(USUAL_PATIENCE)
}

/// Whether [`KERNEL`] asks for the oldest kernel of this course.
pub(crate) fn pretends_to_be_old() -> bool {
    static OLD: OnceLock<bool> = OnceLock::new();
    *OLD.get_or_init(|| std::env::var_os(KERNEL).is_some_and(|kernel| kernel == "5.10"))
}

/// Whether [`IDS`] asks for labs with one id.
pub(crate) fn has_one_id() -> bool {
    static ONE: OnceLock<bool> = OnceLock::new();
    *ONE.get_or_init(|| std::env::var_os(IDS).is_some_and(|ids| ids == "one"))
}

/// Whether this process is the supervisor.
pub(crate) fn is_supervisor() -> bool {
    std::env::var_os(SUPERVISOR).is_some()
}
