//! Why this machine refuses, and what to change.

use nix::errno::Errno;

use crate::sandbox::SetupError;

/// A cause in one line and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub cause: String,
    pub remedy: String,
}

/// The advice for a sandbox that could not be set up.
pub fn explain(error: &SetupError) -> Advice {
    let cause = match error.errno {
        Errno::ENOSPC => "the limit on namespaces is reached",
        _ => "this machine forbids it",
    };
    Advice { cause: cause.into(), remedy: "run `cargo xtask doctor`".into() }
}
