//! The recorder: what a program does to its namespaces, call by call, as a [`Story`].
//!
//! Namespaces are invisible. A story makes them visible: `cargo xtask trace` prints it, `check`
//! points with it at the call that went wrong, and the figures of the book are drawn from it.

mod calls;
pub(crate) mod filter;
mod format;
mod names;
mod point;
mod portable;
mod ptrace;
pub(crate) mod recorder;
mod story;
mod why;
mod words;
mod world;

pub use format::Unreadable;
pub use story::{Change, Link, Mount, Outcome, Step, Story};
pub use world::{Namespace, Task, World};
