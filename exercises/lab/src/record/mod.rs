//! The recorder: what a program does to its namespaces, call by call, as a [`trace::Story`].
//!
//! Namespaces are invisible. A story makes them visible.

mod calls;
pub(crate) mod filter;
mod names;
mod ptrace;
pub(crate) mod recorder;
mod why;
