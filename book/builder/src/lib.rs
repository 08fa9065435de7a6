//! Builds, checks and serves "Linux Namespaces by Hand".
//!
//! The book is an mdBook, built in process. Stock mdBook lets several faults pass in silence: a
//! misspelt anchor is an empty listing, a dead link is a link. Here each of them is a [`Fault`]
//! with its file and line, and a book with a fault is not built.
//!
//! [`site::build`] is one build, from the top: it checks SUMMARY.md, lets mdBook render the pages, and
//! checks their links. One preprocessor, [`directive::Hand`], takes the place of mdBook's `links`. It
//! also speaks mdBook's protocol, so that a plain `mdbook serve` shows the same pages. What a page
//! shows of a run comes from [`session`] and [`figure`], and [`record`] runs it again.
//! [`epub`] and [`pdf`] make the pages that were built into one file, and [`publish`] puts them beside the
//! pages and gives these an address. [`live`] puts the machine there that runs in a page. [`participants`] does the first for an archive that has no solutions.
//!
//! Each module imports only those above it.

mod fault;
mod paths;
pub mod page;
mod include;
pub mod needs;
mod console;
pub mod session;
pub mod figure;
pub mod record;
pub mod live;
mod exercise;
mod environments;
mod front;
mod minutes;
mod plans;
mod prerequisites;
mod teach;
pub mod directive;
mod summary;
mod warning;
mod html;
mod volumes;
mod speaker;
mod links;
pub mod site;
mod light;
mod xhtml;
pub mod epub;
pub mod browser;
pub mod pdf;
pub mod publish;
pub mod participants;
pub mod serve;
pub mod theme;

pub use fault::Fault;
