//! The recorder: what a program does to its namespaces, call by call, as a [`trace::Trace`].
//!
//! Namespaces are invisible. A trace makes them visible.

mod ptrace;
mod calls;
mod id_maps;
pub(crate) mod filter;
mod names;
mod tasks;
pub(crate) mod budget;
mod observe;
mod why;
pub(crate) mod recorder;
pub(crate) mod held;

pub use id_maps::IdMaps;
pub(crate) use recorder::Holds;
