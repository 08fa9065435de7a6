//! A Chromium without a window, which turns a page into a file.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Lets the browser write `file` from a page in a file. `option` is the one that names what it writes, for
/// instance `--print-to-pdf`, and `more` are further ones.
///
/// # Errors
///
/// There is no browser, or it wrote nothing.
pub(crate) fn write(page: &Path, option: &str, more: &[&str], file: &Path) -> Result<()> {
    let browser = find()?;
    let profile = tempfile::tempdir().context("cannot make a directory for the browser")?;
    // Chromium tells the kind of a picture from the file's name.
    let name = file.file_name().with_context(|| format!("{} names no file", file.display()))?;
    let written = profile.path().join(name);
    let with = |option: &str, value: &Path| {
        let mut option = OsString::from(format!("{option}="));
        option.push(value);
        option
    };
    let mut command = Command::new(&browser);
    command.args(["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(more).arg(with(option, &written));
    command.arg(with("--user-data-dir", profile.path()));
    // Chromium refuses to start as root otherwise. The page is our own.
    command.args(nix::unistd::geteuid().is_root().then_some("--no-sandbox"));
    command.arg(format!("file://{}", page.display()));
    command.env("HOME", profile.path()).env("TMPDIR", profile.path());
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {}", browser.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("no reason given").to_owned();
    ensure!(written.is_file(), "{} wrote nothing: {last}", browser.display());
    fs::copy(&written, file).map(drop).with_context(|| format!("cannot write {}", file.display()))
}

/// The browser that `NAMESPACES_BY_HAND_BROWSER` names, or a Chromium in `PATH`.
///
/// # Errors
///
/// There is none.
pub fn find() -> Result<PathBuf> {
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
