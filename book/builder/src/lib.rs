//! Builds, checks and serves "Linux Namespaces by Hand".
//!
//! The book is an mdBook, built in process. Stock mdBook lets several faults pass in silence: a
//! misspelt anchor is an empty listing, a dead link is a link. Here each of them is a [`Fault`]
//! with its file and line, and a book with a fault is not built.
//!
//! One preprocessor, [`directive::Hand`], takes the place of mdBook's `links`. It also speaks
//! mdBook's protocol, so that a plain `mdbook serve` shows the same pages.

pub mod directive;
pub mod fault;
pub mod figure;
pub mod page;
pub mod serve;
pub mod session;
pub mod site;
pub mod theme;

mod environments;
mod exercise;
mod html;
mod include;
mod links;
mod paths;
mod summary;
mod warning;

pub use fault::Fault;
