//! The table of contents, and the book as a whole.

use super::{CALL, PAGE, START};
use crate::fixture::Repo;

#[test]
fn clean_book_has_none() {
    assert_eq!(Repo::quick().faults(), "");
}

#[test]
fn page_not_in_the_summary() {
    let repo = Repo::quick();
    repo.write("book/src/ch03-clone.md", "# Clone\n");
    assert_eq!(
        repo.faults(),
        "book/src/ch03-clone.md:1: page is not in SUMMARY.md\n\
         help: add `- [Title](ch03-clone.md)` to book/src/SUMMARY.md\n"
    );
}

#[test]
fn summary_names_a_missing_page() {
    let repo = Repo::quick();
    repo.edit("book/src/SUMMARY.md", "to come]()", "to come](ch03-clone.md)");
    assert_eq!(repo.faults(), "book/src/SUMMARY.md:8: page `ch03-clone.md` does not exist\n");
    assert!(!repo.path().join("book/src/ch03-clone.md").exists());
}

#[test]
fn an_editors_own_files_are_no_pages() {
    let repo = Repo::quick();
    repo.write("book/src/.ch02-unshare.md.swp", "");
    repo.write("book/src/.ch03-clone.md", "# Hidden\n");
    assert_eq!(repo.faults(), "");
    // Emacs locks a file in this way.
    std::os::unix::fs::symlink("me@host.1", repo.path().join("book/src/.#ch02-unshare.md"))
        .unwrap();
    assert_eq!(
        repo.faults(),
        "book/src/.#ch02-unshare.md: this link leads nowhere, and mdBook stops at it\n\
         help: an editor keeps such a link beside a file with changes: save the file or close it\n"
    );
}

#[test]
fn all_faults_are_reported_at_once() {
    let repo = Repo::quick();
    repo.edit(START, "#the-call", "#gone");
    repo.edit(PAGE, CALL, "main.rs:gone}}");
    repo.write("book/src/ch03-clone.md", "# Clone\n");
    assert_eq!(repo.faults().lines().filter(|line| !line.starts_with("help:")).count(), 3);
}
