//! The table of contents at the side, by click and by key.

use crate::chromium::Chromium;
use crate::faults::Faults;
use crate::reader::Screen;
use crate::site::Site;

const SIDEBAR: &str = "#mdbook-sidebar";
const TOGGLE: &str = "#mdbook-sidebar-toggle";
/// To another page: the sidebar has the headings of this one, too.
const LINK: &str = "#mdbook-sidebar a[href$='.html']:not(.active)";

pub(crate) fn faults(reader: &mut Chromium, site: &Site, screen: Screen) -> Vec<String> {
    let mut faults = Faults::default();
    reader.sit_at(screen);
    reader.open(&site.url("index.html"));
    let mut open = screen.width >= 1080;
    let seen = reader.sees(SIDEBAR);
    faults.unless(seen == open, format!("seen at the start: {seen}"));

    for key in [None, None, Some("Enter"), Some(" ")] {
        if key.is_some() {
            let reached = reader.tab_to(TOGGLE);
            faults.unless(reached, "Tab does not reach the button");
        }
        let before = reader.screenshot();
        match key {
            None => reader.click(TOGGLE),
            Some(key) => reader.press(key),
        }
        open = !open;
        reader.settle();
        let how = key.map_or("a click".to_owned(), |key| format!("key {key:?}"));
        let seen = reader.sees(SIDEBAR);
        faults.unless(seen == open, format!("after {how}: seen: {seen}"));
        let said = format!("document.querySelector('{TOGGLE}').ariaExpanded === '{open}'");
        faults.unless(reader.eval(&said) == true, format!("after {how}: the button says not so"));
        let same = reader.screenshot() == before;
        faults.unless(!same, format!("after {how}: the screen is the same"));
    }

    // What cannot be seen cannot be clicked.
    if faults.0.is_empty() {
        follow_a_link(reader, site, None);
        follow_a_link(reader, site, Some("Enter"));
    }
    faults.0.iter().map(|fault| format!("sidebar, {screen}: {fault}")).collect()
}

fn follow_a_link(reader: &mut Chromium, site: &Site, key: Option<&str>) {
    reader.open(&site.url("index.html"));
    if !reader.sees(SIDEBAR) {
        reader.click(TOGGLE);
        reader.settle();
    }
    match key {
        None => reader.click(LINK),
        Some(key) => {
            assert!(reader.tab_to(LINK), "Tab does not reach a link of the sidebar");
            reader.press(key);
        }
    }
    reader.wait_for("!location.pathname.endsWith('index.html')");
}
