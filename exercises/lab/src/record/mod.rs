//! The recorder: what a program does to its namespaces, call by call, as a [`trace::Trace`].
//!
//! Namespaces are invisible. A trace makes them visible.

mod calls;
pub(crate) mod filter;
mod names;
mod ptrace;
pub(crate) mod recorder;
mod why;
