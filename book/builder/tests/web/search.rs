//! The search, by click and by key.

use crate::chromium::Chromium;
use crate::faults::Faults;
use crate::reader::Screen;
use crate::site::Site;

const BOX: &str = "#mdbook-searchbar";
const TOGGLE: &str = "#mdbook-search-toggle";
const FIRST: &str = "#mdbook-searchresults li:first-child a";

/// A word that every book on the subject has.
const WORD: &str = "namespace";

pub(crate) fn faults(reader: &mut Chromium, site: &Site, screen: Screen) -> Vec<String> {
    let mut faults = Faults::default();
    reader.sit_at(screen);
    for by_key in [false, true] {
        let how = if by_key { "by key" } else { "by click" };
        reader.open(&site.url("index.html"));
        faults.unless(!reader.sees(BOX), format!("{how}: the box is there already"));
        match by_key {
            true => reader.press("/"),
            false => reader.click(TOGGLE),
        }
        // The index comes with the first search.
        reader.wait_for("window.search?.hasFocus() === true");
        reader.settle();
        faults.unless(reader.sees(BOX), format!("{how}: the box is not seen"));
        let before = reader.screenshot();
        reader.write(WORD);
        reader.wait_for(&format!("document.querySelector('{FIRST}') !== null"));
        reader.settle();
        faults.unless(reader.sees(FIRST), format!("{how}: no result is seen"));
        let same = reader.screenshot() == before;
        faults.unless(!same, format!("{how}: the screen is the same"));
        match by_key {
            true => ["ArrowDown", "Enter"].iter().for_each(|key| reader.press(key)),
            false => reader.click(FIRST),
        }
        reader.wait_for("location.search.startsWith('?highlight=')");
        reader.wait_for("document.querySelector('main mark') !== null");
    }
    faults.0.iter().map(|fault| format!("search, {screen}: {fault}")).collect()
}
