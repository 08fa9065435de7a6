//! Every worked example is shown whole by a page, and run there.

use std::fs;
use std::path::Path;

use book::record::{examples, pages};

#[test]
fn a_page_shows_and_runs_each_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = pages(&root).unwrap();
    // That of its chapter, or one of the reference.
    let texts: Vec<String> = pages.iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    let mut count = 0;
    for page in &pages {
        let chapter = page.file_stem().unwrap().to_string_lossy().into_owned();
        for example in examples(&root, &chapter) {
            let include =
                format!("{{{{#include ../../exercises/{chapter}/examples/{example}.rs}}}}");
            // As a command line of a session or a figure.
            let typed = |line: &str| line.starts_with(['#', '$']) && line.contains(&example);
            let shows = texts.iter().filter(|text| text.contains(&include)).collect::<Vec<_>>();
            assert!(!shows.is_empty(), "no page shows {example}");
            let runs = shows.iter().any(|text| text.lines().any(typed));
            assert!(runs, "the page that shows {example} does not run it");
            assert!(example.starts_with(&chapter[..5]), "{example} is not named after {chapter}");
            count += 1;
        }
    }
    assert!(count > 0, "no chapter has an example: were they looked for in the right place?");
}
