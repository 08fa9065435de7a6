//! The helper process between the test and its sandboxes, and how one talks to it.
//!
//! What it can do is not known here: each job names itself, and `lib.rs` has the table.

pub(crate) mod wire;
pub(crate) mod setup;
pub(crate) mod ids;
pub(crate) mod supervisor;
