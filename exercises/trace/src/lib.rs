//! What one run of a program did to its namespaces, call by call, as data.
//!
//! The recorder of the crate `lab` makes a [`Trace`]; `cargo xtask trace` prints it, a diagnosis
//! points into it, and the figures of the book are drawn from it. Nothing here runs anything.
//!
//! Each module imports only those above it.

mod glob;
mod kind;
mod namespace;
mod argument;
mod event;
mod world;
mod words;
mod pointer;
mod proof;
mod portable;
mod format;

pub use argument::{Argument, Target};
pub use event::{Change, Event, Exit, Link, Mount, Outcome, Trace, signal_name};
pub use format::Unreadable;
pub use glob::glob;
pub use kind::{Kind, flag_names};
pub use namespace::NamespaceId;
pub use nix::errno::Errno;
pub use pointer::{Pointer, Side};
pub use proof::{By, Made, Proof};
pub use world::{Namespace, Place, Task, World};
