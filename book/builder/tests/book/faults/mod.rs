//! One fault of each kind, planted into the clean book: it is reported, with its place, and alone.

mod book;
mod fences;
mod figures;
mod includes;
mod links;

use crate::fixture::Repo;

const PAGE: &str = "book/src/ch02-unshare.md";
const START: &str = "book/src/start.md";
const CALL: &str = "main.rs:call}}";

/// Replaces a text of the clean book and checks the report.
#[track_caller]
fn planted(file: &str, old: &str, new: &str, report: &str) {
    let repo = Repo::quick();
    repo.edit(file, old, new);
    assert_eq!(repo.faults(), report);
}
