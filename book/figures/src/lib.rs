//! The figures of "Linux Namespaces by Hand": what one recorded run did, drawn.

mod figure;
mod maps;
mod membership;
mod mounts;
mod network;
mod owners;
mod page;
mod pointers;
mod processes;
pub mod stepper;
mod svg;
#[cfg(test)]
mod tests;
mod words;

pub use figure::{Nothing, Part, View, figure};
pub use page::page;

/// The stylesheet of the pictures.
pub const CSS: &str = include_str!("figures.css");
