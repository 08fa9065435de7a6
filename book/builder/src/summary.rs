//! Compares SUMMARY.md with the files beside it.

use crate::fault::{Fault, Problem};
use crate::page::line_of;
use crate::paths::{files, has_extension};
use mdbook_markdown::pulldown_cmark::{Event, Tag};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Finds pages that SUMMARY.md names and that are missing, and pages that it does not name.
pub(crate) fn check(repo: &Path, src: &Path) -> Vec<Fault> {
    let file = src.join("SUMMARY.md");
    let summary = match std::fs::read_to_string(repo.join(&file)) {
        Ok(summary) => summary,
        Err(error) => return vec![Problem::new(format!("cannot be read: {error}")).at(&file, 0)],
    };
    let mut orphans = pages(&repo.join(src));
    let mut faults = Vec::new();
    let events = new_cmark_parser(&summary, &MarkdownOptions::default()).into_offset_iter();
    for (event, range) in events {
        let Event::Start(Tag::Link { dest_url, .. }) = event else { continue };
        if dest_url.is_empty() {
            continue; // a draft: a title without a page
        }
        let page = Path::new(&*dest_url).components().collect::<PathBuf>();
        orphans.remove(&page);
        if !repo.join(src).join(&page).is_file() {
            let problem = Problem::new(format!("page `{}` does not exist", page.display()));
            faults.push(problem.at(&file, line_of(&summary, range.start)));
        }
    }
    for orphan in orphans {
        let help = format!("add `- [Title]({})` to {}", orphan.display(), file.display());
        let problem = Problem::new("page is not in SUMMARY.md").help(help);
        faults.push(problem.at(&src.join(orphan), 1));
    }
    faults
}

/// Finds links that lead nowhere. mdBook fails at the first one, and does not say what it may be.
pub(crate) fn dangling(repo: &Path, src: &Path) -> Vec<Fault> {
    let entries = std::fs::read_dir(repo.join(src)).into_iter().flatten().flatten();
    let dangling = entries.filter(|entry| entry.path().is_symlink() && !entry.path().exists());
    let fault = |entry: std::fs::DirEntry| {
        let problem = Problem::new("this link leads nowhere, and mdBook stops at it");
        let help =
            "an editor keeps such a link beside a file with changes: save the file or close it";
        problem.help(help).at(&src.join(entry.file_name()), 0)
    };
    dangling.map(fault).collect()
}

/// All pages under `src` except the two that SUMMARY.md never names.
pub(crate) fn pages(src: &Path) -> BTreeSet<PathBuf> {
    let unnamed = [Path::new("SUMMARY.md"), Path::new("404.md")];
    let files = files(src).into_iter().filter(|file| has_extension(file, "md"));
    files.filter(|path| !unnamed.contains(&path.as_path())).collect()
}
