//! The figures of "Linux Namespaces by Hand": what one recorded run did, drawn.

mod figure;
mod maps;
mod membership;
mod mounts;
mod network;
mod owners;
mod pointers;
mod processes;
pub mod stepper;
mod svg;
mod words;

pub use figure::{Nothing, Part, View, figure};

/// The stylesheet of the pictures.
pub const CSS: &str = include_str!("figures.css");
