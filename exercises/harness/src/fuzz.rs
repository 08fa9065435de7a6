//! Tables, verdicts and snapshots, broken: nothing panics, nothing takes memory without bound, and
//! what was written is read again. `PROPTEST_CASES=100000` tries more.

#[path = "../../lab/src/fuzz/input.rs"]
mod input;

use input::{bound, memory_of, nearly};
use proptest::prelude::*;

use crate::mistakes;
use crate::verdict::{Verdict, dedented};

const RIGHT: &[&str] = &[
    include_str!("mistakes.toml"),
    include_str!("../../ch03-clone/mistakes.toml"),
    "outcome = \"failed\"\nsaw = \"a\\u0001\"\nwanted = \"\"\n",
];

fn read_text(text: &str) {
    _ = dedented(text);
    _ = mistakes::of_chapter(text);
    _ = Verdict::from_toml(text);
}

proptest! {
    /// What the kernel saw and what a step asks for are compared like this.
    #[test]
    fn nothing_but_white_space_is_lost_from_a_snapshot(text in "([ \t\u{a0}\u{3000}]{0,4}[a-zä|]{0,3} {0,2}\n){0,6}") {
        let written = |text: &str| text.split_whitespace().collect::<String>();
        let once = dedented(&text);
        prop_assert_eq!(written(&once), written(&text));
        prop_assert_eq!(dedented(&once), once);
    }

    #[test]
    fn texts_of_nobody(text in "(\\PC|\n){0,200}") {
        prop_assert!(memory_of(|| read_text(&text)) <= bound(text.len()));
    }

    #[test]
    fn texts_that_are_nearly_right(text in nearly(RIGHT)) {
        prop_assert!(memory_of(|| read_text(&text)) <= bound(text.len()));
    }

    #[test]
    fn a_verdict_survives_the_trip(saw in any::<String>(), stderr in "(\\PC|[\0-\x1f\x7f-\u{9f}\"\\\\]){0,40}") {
        let verdict = Verdict { saw, stderr, outcome: "failed".into(), ..Verdict::default() };
        prop_assert_eq!(Verdict::from_toml(&verdict.clone().into_toml()), Some(verdict));
    }
}
