//! What is told to a room.

use harness::is_unprintable;
use serde_json::{Value, json};

/// How many characters a name may have, a chapter, an edition, a mistake, and what is said with `stuck`.
const NAME: usize = 32;
const CHAPTER: usize = 40;
const EDITION: usize = 40;
const TEXT: usize = 200;

/// One thing that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Checked {
        /// `ch02-unshare`
        chapter: String,
        outcome: Outcome,
        /// How many steps have passed before the first that did not, of those that make a chapter solved.
        passed: u64,
        of: u64,
        /// The name of the mistake in the chapter's table; empty if none was recognized.
        mistake: String,
    },
    Signal {
        signal: Signal,
        /// What the participant says with it; may be empty.
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Solved,
    Failed,
    /// It does not compile.
    Unbuilt,
    /// The machine could not check it, or the check broke.
    Cannot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Stuck,
    Done,
    /// Neither: the participant goes on.
    Over,
}

/// An event with its number, which is one higher for each of a participant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub sequence: u64,
    pub event: Event,
}

impl Outcome {
    const ALL: [Outcome; 4] = [Outcome::Solved, Outcome::Failed, Outcome::Unbuilt, Outcome::Cannot];

    pub fn word(self) -> &'static str {
        match self {
            Outcome::Solved => "solved",
            Outcome::Failed => "failed",
            Outcome::Unbuilt => "unbuilt",
            Outcome::Cannot => "cannot",
        }
    }

    pub fn read(word: &Value) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| *word == outcome.word())
    }
}

impl Signal {
    const ALL: [Signal; 3] = [Signal::Stuck, Signal::Done, Signal::Over];

    pub fn word(self) -> &'static str {
        match self {
            Signal::Stuck => "stuck",
            Signal::Done => "done",
            Signal::Over => "over",
        }
    }

    pub fn read(word: &Value) -> Option<Signal> {
        Signal::ALL.into_iter().find(|signal| *word == signal.word())
    }
}

impl Report {
    pub fn to_json(&self) -> Value {
        let Report { sequence, event } = self;
        match event {
            Event::Checked { chapter, outcome, passed, of, mistake } => json!({
                "sequence": sequence, "chapter": chapter, "outcome": outcome.word(),
                "passed": passed, "of": of, "mistake": mistake,
            }),
            Event::Signal { signal, text } => {
                json!({ "sequence": sequence, "signal": signal.word(), "text": text })
            }
        }
    }

    /// Reads one. Its texts come out as [`text_of`] makes them.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(value: &Value) -> Result<Report, &'static str> {
        let sequence = value["sequence"].as_u64().filter(|number| *number > 0);
        let sequence = sequence.ok_or("a report has no number")?;
        let text = |key: &str, most| text_of(value[key].as_str().unwrap_or_default(), most);
        if let Some(signal) = Signal::read(&value["signal"]) {
            let event = Event::Signal { signal, text: text("text", TEXT) };
            return Ok(Report { sequence, event });
        }
        let outcome = Outcome::read(&value["outcome"]).ok_or("a report is of no known kind")?;
        let number = |key: &str| value[key].as_u64().unwrap_or(0).min(99);
        let of = number("of");
        let event = Event::Checked {
            chapter: text("chapter", CHAPTER),
            outcome,
            passed: number("passed").min(of),
            of,
            mistake: text("mistake", TEXT),
        };
        Ok(Report { sequence, event })
    }
}

/// The text on one line, without what changes a screen or the direction of writing, and cut to so many
/// characters.
pub fn text_of(text: &str, most: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out: String = words.chars().filter(|c| !is_unprintable(*c)).take(most + 1).collect();
    if out.chars().count() > most {
        out = out.chars().take(most - 1).chain(['…']).collect();
    }
    out
}

/// The edition of the course that a request or an answer names. Empty if it names none.
pub fn edition_of(value: &Value) -> String {
    text_of(value["edition"].as_str().unwrap_or_default(), EDITION)
}

/// Characters without a width, by which two names could look the same.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// A name that a participant may have.
///
/// # Errors
///
/// Why it is none.
pub fn name_of(text: &str) -> Result<String, String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err("a name has at least one character".to_owned()),
        long if long > NAME => {
            Err(format!("a name has at most {NAME} characters, and this has {long}"))
        }
        _ if text.chars().any(|c| is_unprintable(c) || is_invisible(c)) => {
            Err("a name has no control characters, and none that turn the direction of writing"
                .to_owned())
        }
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_wire() {
        let mistake = "the name is set before leaving the namespace".to_owned();
        let checked = Event::Checked {
            chapter: "ch02-unshare".to_owned(),
            outcome: Outcome::Failed,
            passed: 2,
            of: 4,
            mistake,
        };
        let signal = Event::Signal { signal: Signal::Stuck, text: "why EPERM?".to_owned() };
        for (event, sequence) in [(checked, 1), (signal, u64::MAX)] {
            let report = Report { sequence, event };
            assert_eq!(Report::read(&report.to_json()), Ok(report));
        }
    }

    #[test]
    fn what_a_stranger_sends_is_bounded_text() {
        let hostile = json!({
            "sequence": 3, "outcome": "failed", "passed": 7_000_000_000_u64, "of": 3,
            "chapter": "x".repeat(10_000), "mistake": "<script>\u{1b}[2J\u{202e}alert(1)\n\n</script>",
        });
        let Report { event: Event::Checked { chapter, passed, mistake, .. }, .. } =
            Report::read(&hostile).unwrap()
        else {
            panic!("not a check")
        };
        assert_eq!((chapter.chars().count(), passed), (CHAPTER, 3));
        assert_eq!(mistake, "<script>[2Jalert(1) </script>");
        for wrong in [
            json!(null),
            json!([]),
            json!({ "sequence": 0, "signal": "stuck" }),
            json!({ "sequence": -1, "signal": "stuck" }),
            json!({ "sequence": "1", "signal": "stuck" }),
            json!({ "sequence": 1, "signal": "gone" }),
            json!({ "sequence": 1, "outcome": 7 }),
        ] {
            assert!(Report::read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names() {
        for (text, wanted) in [
            ("ada", "ada"),
            ("  Ada\u{a0}  Lovelace ", "Ada Lovelace"),
            ("<b>", "<b>"),
            ("Zoë 🦀", "Zoë 🦀"),
        ] {
            assert_eq!(name_of(text).as_deref(), Ok(wanted));
        }
        for wrong in
            ["", "  ", "a\u{7}b", "a\u{202e}b", &"x".repeat(33), &"x".repeat(10_000), "\u{200b}"]
        {
            assert!(name_of(wrong).is_err(), "{wrong:?}");
        }
    }
}
