//! One build of the book: the sources are checked, the pages rendered, and their links checked.

use crate::directive::{Audience, Hand};
use crate::fault::{Fault, Problem};
use crate::live::Live;
use crate::{links, speaker, summary, volumes, warning};
use anyhow::{Context as _, Result};
use mdbook_driver::MDBook;
use std::path::{Path, PathBuf};

/// Finds the repository: the nearest directory upwards that holds `book/book.toml`.
pub fn repository(from: &Path) -> Result<PathBuf> {
    let from = from.canonicalize().with_context(|| format!("cannot enter {}", from.display()))?;
    let found = from.ancestors().find(|directory| directory.join("book/book.toml").is_file());
    let help =
        "no book/book.toml here or above\nhelp: run this inside a checkout of the repository";
    found.map(Path::to_owned).context(help)
}

/// Builds the book of a repository, as these people get it, and returns the directory of the pages, or all faults.
/// With a machine, its sessions can be run in the pages.
pub fn build(repo: &Path, audience: Audience, live: Option<&Live>) -> Result<PathBuf, Vec<Fault>> {
    let (book, src) = (Path::new("book"), Path::new("book/src"));
    let whole = |error: anyhow::Error| {
        vec![Problem::new(format!("{error:#}")).at(&book.join("book.toml"), 0)]
    };
    let repo = &repo.canonicalize().map_err(|error| whole(error.into()))?;
    let mut faults = summary::check(repo, src);
    let dangling = summary::dangling(repo, src);
    let fatal = !dangling.is_empty();
    faults.extend(dangling);
    if fatal || faults.iter().any(|fault| fault.file.ends_with("SUMMARY.md")) {
        return Err(faults); // mdBook cannot load or build such a book
    }

    let mut mdbook = MDBook::load(repo.join(book)).map_err(whole)?;
    let hand = Hand::of(audience).with(live);
    let found = hand.faults();
    mdbook.with_preprocessor(hand);
    let (result, warnings) = warning::collect(|| mdbook.build());
    let built = mdbook.build_dir_for("html");

    faults.append(&mut found.borrow_mut());
    let pages: Vec<PathBuf> = summary::pages(&repo.join(src)).into_iter().collect();
    faults.extend(warnings.iter().map(|message| warning::fault(message, src, &pages)));
    match result {
        Ok(()) => {
            let more = volumes::split(&mdbook, &built);
            let more = more.and_then(|()| speaker::write(repo, src, &built));
            let more = more.and_then(|()| live.map_or(Ok(()), |live| live.write(repo, &built)));
            faults.extend(more.map_err(whole).err().into_iter().flatten());
            faults.extend(links::check(repo, book, src, &built));
        }
        Err(error) => faults.extend(whole(error)),
    }
    faults.sort();
    faults.dedup();
    if faults.is_empty() { Ok(built) } else { Err(faults) }
}
