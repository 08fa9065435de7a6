//! What the tests need besides Cargo: a browser, and axe-core, which looks for what keeps people with a
//! disability out. Without them the tests are skipped.

use crate::chromium::Chromium;
use std::env;

pub(crate) struct Tools {
    pub(crate) browser: Chromium,
    pub(crate) axe: String,
}

impl Tools {
    pub(crate) fn find() -> Option<Tools> {
        match (book::browser::find().map_err(|error| error.to_string()), axe()) {
            (Ok(browser), Ok(axe)) => Some(Tools { browser: Chromium::start(&browser), axe }),
            (Err(reason), _) | (_, Err(reason)) => {
                skip!("the pages in a browser: {reason}");
                None
            }
        }
    }
}

fn axe() -> Result<String, String> {
    let help = "NAMESPACES_BY_HAND_AXE=$(.ci/axe) gets it";
    let file = env::var("NAMESPACES_BY_HAND_AXE").map_err(|_| format!("no axe-core: {help}"))?;
    std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))
}
