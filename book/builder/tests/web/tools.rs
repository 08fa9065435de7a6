//! What the tests need besides Cargo: a browser, and axe-core, which looks for what keeps people with a
//! disability out. Without them the tests are skipped.

use crate::chromium::Chromium;
use std::env;
use std::path::PathBuf;

pub(crate) struct Tools {
    pub(crate) browser: Chromium,
    pub(crate) axe: String,
}

impl Tools {
    pub(crate) fn find() -> Option<Tools> {
        match (browser(), axe()) {
            (Ok(browser), Ok(axe)) => Some(Tools { browser: Chromium::start(&browser), axe }),
            (Err(reason), _) | (_, Err(reason)) => {
                skip!("the pages in a browser: {reason}");
                None
            }
        }
    }
}

fn browser() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("NAMESPACES_BY_HAND_BROWSER") {
        return Ok(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let files = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = files.into_iter().find(|file| file.is_file());
    found.ok_or_else(|| format!("no browser in PATH: {}", names.join(", ")))
}

fn axe() -> Result<String, String> {
    let help = "NAMESPACES_BY_HAND_AXE=$(.ci/axe) gets it";
    let file = env::var("NAMESPACES_BY_HAND_AXE").map_err(|_| format!("no axe-core: {help}"))?;
    std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))
}
