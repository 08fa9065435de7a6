//! The theme against the mdBook that it changes.

use book::theme::{index, stock};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn committed(file: &str) -> String {
    let theme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../theme");
    fs::read_to_string(theme.join(file)).unwrap()
}

#[test]
fn the_template_is_the_generated_one() {
    let same = committed("index.hbs") == index().unwrap();
    assert!(same, "theme/index.hbs is stale\nhelp: cargo run -p book -- theme");
}

/// The custom properties that a rule of a stylesheet sets.
fn properties(stylesheet: &str, selector: &str) -> BTreeSet<String> {
    let (_, rule) = stylesheet.split_once(&format!("\n{selector} {{")).expect(selector);
    let (rule, _) = rule.split_once('}').unwrap();
    let declared = rule.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'));
    declared.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_colour_and_measure_of_mdbook_is_set() {
    let (theme, stock) = (committed("css/variables.css"), stock("css/variables.css").unwrap());
    for (selector, stock_selector) in [
        (":root", ":root"),
        (".light, .navy, html:not(.js)", ".light, html:not(.js)"),
        ("    .navy", ".navy"),
    ] {
        let set = properties(&theme, selector);
        let stock = properties(&stock, stock_selector);
        let missing: Vec<_> = stock.difference(&set).collect();
        assert!(!stock.is_empty() && missing.is_empty(), "{selector} lacks {missing:?}");
    }
}

#[test]
fn light_and_dark_set_the_same_colours() {
    let theme = committed("css/variables.css");
    let light = properties(&theme, ".light, .navy, html:not(.js)");
    assert_eq!(light, properties(&theme, "    .navy"));
}
