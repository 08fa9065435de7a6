//! The book as a PDF: the page that has all the others on it, printed by a browser.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{browser, volumes};

/// Prints the pages that were built into the directory `built` to `file`: the book, or a part that is printed apart.
///
/// # Errors
///
/// There is no such part, no browser, or it wrote nothing.
pub fn write(built: &Path, part: Option<&str>, file: &Path) -> Result<()> {
    let page = built.join(part.map_or("print.html".to_owned(), volumes::file_of));
    ensure!(
        page.is_file(),
        "the book has no part `{}` that is printed apart\nhelp: book/book.toml names it in `printed-apart`",
        part.unwrap_or_default()
    );
    let options = ["--no-pdf-header-footer", "--generate-pdf-document-outline"];
    browser::write(&page, "--print-to-pdf", &options, file)
}
