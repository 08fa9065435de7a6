//! One requirement of a challenge.

use harness::trace::glob;

use crate::world::Facts;

/// What a requirement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The lab: the namespaces in which the reader's shell was started.
    Lab,
    /// That shell itself.
    Shell,
    /// Any other process in the lab.
    Process,
}

impl Subject {
    pub const ALL: [Subject; 3] = [Subject::Lab, Subject::Shell, Subject::Process];

    pub fn name(self) -> &'static str {
        match self {
            Subject::Lab => "lab",
            Subject::Shell => "shell",
            Subject::Process => "process",
        }
    }
}

/// Facts that one subject must have, all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub of: Subject,
    /// A fact, such as `host name`, and the pattern that it must match.
    pub facts: Vec<(String, String)>,
    /// How many such subjects there must be, as a pattern for their number.
    pub many: String,
}

impl Condition {
    /// Whether a subject has all of the facts.
    pub fn holds_for(&self, seen: &Facts) -> bool {
        let mut facts = self.facts.iter();
        facts.all(|(key, pattern)| seen.get(key).is_some_and(|value| fits(pattern, value)))
    }
}

/// Whether a value matches a pattern: a text with `*` for anything, `not ` and such a text, or `>= ` and a
/// whole number.
pub fn fits(pattern: &str, value: &str) -> bool {
    if let Some(least) = pattern.strip_prefix(">= ") {
        let number = |text: &str| text.parse::<i64>().ok();
        return number(value).zip(number(least)).is_some_and(|(value, least)| value >= least);
    }
    match pattern.strip_prefix("not ") {
        Some(pattern) => !glob(pattern, value),
        None => glob(pattern, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, value, wanted) in [
            ("otter", "otter", true),
            ("otter", "otters", false),
            ("*uts*", "user uts", true),
            ("not lab", "otter", true),
            ("not lab", "lab", false),
            ("not *uts*", "user uts", false),
            (">= 2", "2", true),
            (">= 2", "1", false),
            (">= 2", "two", false),
            (">= -1", "0", true),
        ] {
            assert_eq!(fits(pattern, value), wanted, "{pattern:?} {value:?}");
        }
    }
}
