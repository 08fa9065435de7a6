//! The builder on a small book: `fixtures/clean`, with this repository's book.toml and theme.

mod concepts;
mod examples;
mod faults;
mod files;
mod fixture;
mod pages;
mod protocol;
mod serve;
mod theme;
