//! Tables, verdicts and snapshots, broken: nothing panics, nothing takes memory without bound, and
//! what was written is read again. `PROPTEST_CASES=100000` tries more.

#[path = "../../lab/src/fuzz/input.rs"]
mod input;

use input::{bound, memory_of, nearly};
use proptest::prelude::*;

use crate::mistakes;
use crate::report::{Excerpt, Line, Row};
use crate::verdict::{Diagnosis, Outcome, Verdict};

const RIGHT: &[&str] = &[
    include_str!("mistakes.toml"),
    include_str!("../../ch03-clone/mistakes.toml"),
    r#"{"outcome":"failed","asked":"a","line":7,"saw":{"table":[["lab","AAAAAAAA"]],"lines":[["a","\u0001"]]},"wanted":{"table":null,"lines":[]},"stdout":"","stderr":"","diagnosis":null,"pointer":null,"refused":"","skipped":[]}"#,
    "         user  mnt  pid  net  uts  ipc  cgroup  time\nlab      A     A    A    A    A    A    A       A\nhost name: NAME\n",
];

fn read_text(text: &str) {
    _ = Excerpt::read(text);
    _ = mistakes::of_chapter(text);
    _ = Verdict::from_json(text);
}

prop_compose! {
    fn excerpt()(
        table in proptest::option::of(prop::collection::vec(("[a-z]{1,8}( [a-z]{1,3})?", "[A-Z]{8}"), 0..4)),
        lines in prop::collection::vec(("[a-z/]{1,8}( [a-z]{1,3})?", "([!-~ä:]([!-~ä: ]{0,9}[!-~ä:])?)?"), 0..4),
    ) -> Excerpt {
        let row = |(name, letters): (String, String)| {
            let letters: Vec<char> = letters.chars().collect();
            Row { name, letters: letters.try_into().expect("eight") }
        };
        Excerpt {
            table: table.map(|rows| rows.into_iter().map(row).collect()),
            lines: lines.into_iter().map(|(key, value)| Line { key, value }).collect(),
        }
    }
}

proptest! {
    /// A check asserts a text, and data are compared.
    #[test]
    fn what_is_shown_is_read_again(excerpt in excerpt(), indentation in "[ \t]{0,4}") {
        let shown = excerpt.to_string();
        prop_assert_eq!(Excerpt::read(&shown), excerpt.clone());
        let indented: String = shown.lines().map(|line| format!("{indentation}{line}\n")).collect();
        prop_assert_eq!(Excerpt::read(&indented), excerpt);
    }

    #[test]
    fn arbitrary_texts(text in "(\\PC|\n){0,200}") {
        prop_assert!(memory_of(|| read_text(&text)) <= bound(text.len()));
    }

    #[test]
    fn texts_that_are_nearly_right(text in nearly(RIGHT)) {
        prop_assert!(memory_of(|| read_text(&text)) <= bound(text.len()));
    }

    #[test]
    fn a_verdict_survives_the_trip(
        saw in excerpt(),
        cause in any::<String>(),
        stderr in "(\\PC|[\0-\x1f\x7f-\u{9f}\"\\\\]){0,40}",
        pointer in proptest::option::of(any::<String>()),
    ) {
        let diagnosis = Some(Diagnosis { cause, ..Diagnosis::default() });
        let skipped = saw.lines.clone();
        let verdict = Verdict {
            outcome: Outcome::Failed, saw, stderr, diagnosis, pointer, skipped, ..Verdict::default()
        };
        prop_assert_eq!(Verdict::from_json(&verdict.to_json()), Some(verdict));
    }
}
