//! The book as a PDF: the page that has all the others on it, printed by a browser.

use std::path::Path;

use anyhow::Result;

use crate::browser;

/// Prints the pages that were built into the directory `built` to `file`.
///
/// # Errors
///
/// There is no browser, or it wrote nothing.
pub fn write(built: &Path, file: &Path) -> Result<()> {
    let options = ["--no-pdf-header-footer", "--generate-pdf-document-outline"];
    browser::write(&built.join("print.html"), "--print-to-pdf", &options, file)
}
