//! The book as a PDF: the page that has all the others on it, printed by a browser.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Prints the pages that were built into the directory `built` to `file`.
///
/// # Errors
///
/// There is no browser, or it wrote nothing.
pub fn write(built: &Path, file: &Path) -> Result<()> {
    let browser = browser()?;
    let profile = tempfile::tempdir().context("cannot make a directory for the browser")?;
    let printed = profile.path().join("book.pdf");
    let mut command = Command::new(&browser);
    command.args(["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--no-pdf-header-footer", "--generate-pdf-document-outline"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("--print-to-pdf={}", printed.display()));
    // Chromium refuses to start as root otherwise. The page is our own.
    command.args(nix::unistd::geteuid().is_root().then_some("--no-sandbox"));
    command.arg(format!("file://{}", built.join("print.html").display()));
    command.env("HOME", profile.path()).env("TMPDIR", profile.path());
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {}", browser.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("no reason given").to_owned();
    ensure!(printed.is_file(), "{} printed nothing: {last}", browser.display());
    fs::copy(&printed, file).map(drop).with_context(|| format!("cannot write {}", file.display()))
}

/// The browser that `NAMESPACES_BY_HAND_BROWSER` names, or a Chromium in `PATH`.
///
/// # Errors
///
/// There is none.
pub fn browser() -> Result<PathBuf> {
    if let Some(named) = env::var_os("NAMESPACES_BY_HAND_BROWSER") {
        return Ok(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let files = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = files.into_iter().find(|file| file.is_file());
    found.with_context(|| {
        format!(
            "no browser in PATH: {}\nhelp: install Chromium, or name one in NAMESPACES_BY_HAND_BROWSER",
            names.join(", ")
        )
    })
}
