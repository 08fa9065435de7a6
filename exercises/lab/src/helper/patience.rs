//! How long to wait.

use std::time::Duration;

/// How long a program may take for each thing that is awaited of it: five seconds, or as many as
/// the variable `NAMESPACES_BY_HAND_PATIENCE` says (a slow machine may need more).
pub fn patience() -> Duration {
    let said = std::env::var("NAMESPACES_BY_HAND_PATIENCE").ok();
    let seconds = said.and_then(|seconds| seconds.parse().ok()).filter(|seconds| *seconds > 0.0);
    Duration::try_from_secs_f64(seconds.unwrap_or(5.0)).unwrap_or(Duration::from_secs(5))
}
