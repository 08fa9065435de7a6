//! The figures of "Linux Namespaces by Hand": what one recorded run did, drawn.
//!
//! [`figure`] draws one view of a trace, [`page`] a whole trace as a page of its own. A view makes
//! a scene of the world after each event, and a picture of each scene that differs from the one
//! before; the stepper shows one picture at a time. [`graph`] draws no run, but what comes before what.
//! Each module imports only those above it.

mod words;
mod svg;
mod scene;
mod membership;
mod pointers;
mod processes;
mod maps;
mod owners;
mod mounts;
mod network;
mod cgroups;
mod figure;
mod graph;
pub mod stepper;
mod page;
#[cfg(test)]
mod tests;

pub use figure::{Nothing, View, figure, picture};
pub use graph::{Node, graph};
pub use page::page;
pub use scene::Selection;
pub use svg::CSS;
