//! Every concept that `book/concepts.toml` claims to be taught has a heading where it says.

use std::collections::BTreeMap;
use std::path::Path;

#[derive(serde::Deserialize)]
struct Concepts {
    /// Key, then the concept in a sentence and where it is taught.
    concept: BTreeMap<String, (String, String)>,
}

/// What is wrong with a table, a line for each fault. `anchors` gives those of a page of the book.
fn faults(table: &str, anchors: impl Fn(&str) -> Option<Vec<String>>) -> Vec<String> {
    let concepts: Concepts = match toml::from_str(table) {
        Ok(concepts) => concepts,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Vec::new();
    let mut taught = BTreeMap::new();
    for (key, (concept, place)) in &concepts.concept {
        if let Some(other) = taught.insert(concept, key) {
            faults.push(format!("{key}: {other} says the same"));
        }
        let Some((page, anchor)) = place.split_once('#') else {
            faults.push(format!("{key}: `{place}` names no heading"));
            continue;
        };
        match anchors(page) {
            None => faults.push(format!("{key}: the book has no page `{page}`")),
            Some(anchors) if !anchors.iter().any(|known| known == anchor) => {
                faults.push(format!("{key}: `{page}` has no heading `{anchor}`"));
            }
            Some(_) => {}
        }
    }
    faults
}

#[test]
fn every_concept_has_its_heading() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let summary = std::fs::read_to_string(book.join("src/SUMMARY.md")).unwrap();
    let anchors = |page: &str| {
        let listed = summary.contains(&format!("({page})"));
        let text = std::fs::read_to_string(book.join("src").join(page)).ok();
        text.filter(|_| listed).map(|text| book::page::anchors(&text))
    };
    let table = std::fs::read_to_string(book.join("concepts.toml")).unwrap();
    let faults = faults(&table, anchors);
    assert!(faults.is_empty(), "book/concepts.toml:\n{}", faults.join("\n"));
}

#[test]
fn a_wrong_place_is_found() {
    let anchors = |page: &str| (page == "a.md").then(|| vec!["here".to_owned()]);
    let with =
        |row: &str| faults(&format!("[concept]\nG1 = ['One.', 'a.md#here']\n{row}"), anchors);
    assert_eq!(with(""), [""; 0]);
    assert_eq!(with("G2 = ['Two.', 'a.md#there']"), ["G2: `a.md` has no heading `there`"]);
    assert_eq!(with("G2 = ['Two.', 'b.md#here']"), ["G2: the book has no page `b.md`"]);
    assert_eq!(with("G2 = ['Two.', 'a.md']"), ["G2: `a.md` names no heading"]);
    assert_eq!(with("G2 = ['One.', 'a.md#here']"), ["G2: G1 says the same"]);
    assert!(with("G2 = 'Two.'")[0].contains("invalid type"));
    assert!(with("G1 = ['Two.', 'a.md#here']")[0].contains("duplicate key"));
}
