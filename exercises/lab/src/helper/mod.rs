//! The supervisor, a helper process between the test and its sandboxes, and what is said over its
//! sockets.
//!
//! What it can do is not known here: each job names itself, and `lib.rs` has the table.

pub(crate) mod wire;
pub(crate) mod refusal;
pub(crate) mod ids;
pub(crate) mod limits;
pub(crate) mod supervisor;
