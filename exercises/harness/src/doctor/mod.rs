//! Why this machine refuses, and what to change.
//!
//! [`lab::probe`] tries what the sandbox and the lessons need, each thing in a throwaway child;
//! [`facts`] reads what this machine reports about itself; the table `environments.toml` lists which
//! known environment refuses what, and under which facts. [`advice`] brings them together: a refusal
//! proves that something forbids a call, and a fact that a switch exists, so only both together name
//! a cause.

mod table;
mod mounts;
mod facts;
mod advice;
mod examination;
mod excuse;

pub use advice::Advice;
pub use examination::{Answer, Examination, Finding, examine};
pub use excuse::excuse;
pub use facts::Facts;
pub use lab::probe::places;
pub use lab::sandbox::Refusal;
pub use table::{Environment, Meaning, Proof, Staged, environments, meanings};

/// The advice for a sandbox that could not be set up.
pub fn explain(refusal: &Refusal) -> Advice {
    advice::of(refusal, &Facts::read())
}

/// Why no sandbox can have the limits that it gives to its programs, if that is so.
pub fn limits_too_low() -> Option<(Refusal, Advice)> {
    let refusal = lab::sandbox::arrange_limits().err()?;
    let advice = explain(&refusal);
    Some((refusal, advice))
}
