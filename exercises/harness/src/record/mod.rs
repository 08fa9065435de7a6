//! The recorder: what a program does to its namespaces, call by call, as a [`Story`].

mod format;
mod story;
mod world;

pub use format::Unreadable;
pub use story::{Change, Link, Mount, Outcome, Step, Story};
pub use world::{Namespace, Task, World};
