//! Every worked example is shown whole by its page, and run there.

use std::path::Path;

use book::record::examples;

#[test]
fn a_page_shows_and_runs_each_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut count = 0;
    for page in book::record::pages(&root).unwrap() {
        let chapter = page.file_stem().unwrap().to_string_lossy().into_owned();
        for example in examples(&root, &chapter) {
            let page = std::fs::read_to_string(&page).unwrap();
            let include =
                format!("{{{{#include ../../exercises/{chapter}/examples/{example}.rs}}}}");
            assert!(page.contains(&include), "{chapter}.md does not show {example}");
            // As a command line of a session or a figure.
            let typed = |line: &str| line.starts_with(['#', '$']) && line.contains(&example);
            assert!(page.lines().any(typed), "{chapter}.md does not run {example}");
            assert!(example.starts_with(&chapter[..5]), "{example} is not named after {chapter}");
            count += 1;
        }
    }
    assert!(count > 0, "no chapter has an example: were they looked for in the right place?");
}
