//! Which namespace of a trace is meant.

use std::fmt;

use super::kind::Kind;

/// A namespace of a trace. [`Display`](fmt::Display) shows it as `uts B`, and JSON has it in that
/// form: the kind, and a letter in order of first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamespaceId {
    pub kind: Kind,
    /// 1 is A, 27 is AA. 0 belongs to [`NamespaceId::OUTER`] alone.
    pub index: u32,
}

impl NamespaceId {
    /// The user namespace around the program's first one: `outer user`. No process of the trace is
    /// in it.
    pub const OUTER: NamespaceId = NamespaceId { kind: Kind::User, index: 0 };

    /// The user namespace in which the program starts: `user A`.
    pub const FIRST_USER: NamespaceId = NamespaceId { kind: Kind::User, index: 1 };

    /// Reads what [`Display`](fmt::Display) writes, and nothing else.
    pub fn parse(text: &str) -> Option<NamespaceId> {
        if text == "outer user" {
            return Some(NamespaceId::OUTER);
        }
        let (kind, letters) = text.split_once(' ')?;
        let kind = Kind::parse(kind)?;
        let index = letters.bytes().try_fold(0_u32, |index, letter| {
            let digit = letter.is_ascii_uppercase().then(|| u32::from(letter - b'A') + 1)?;
            index.checked_mul(26)?.checked_add(digit)
        })?;
        (index > 0).then_some(NamespaceId { kind, index })
    }

    /// A, B, … Z, AA, AB, …; nothing for [`NamespaceId::OUTER`].
    pub fn letters(self) -> String {
        let mut letters = Vec::new();
        let mut left = self.index;
        while left > 0 {
            left -= 1;
            letters.insert(0, char::from(b'A' + (left % 26) as u8));
            left /= 26;
        }
        letters.into_iter().collect()
    }
}

impl fmt::Display for NamespaceId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.index {
            0 => f.pad("outer user"),
            _ => f.pad(&format!("{} {}", self.kind, self.letters())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_name_for_every_number() {
        let name = |index| NamespaceId { kind: Kind::Uts, index }.to_string();
        assert_eq!(
            [1, 26, 27, 28, 703].map(name),
            ["uts A", "uts Z", "uts AA", "uts AB", "uts AAA"]
        );
        assert_eq!(NamespaceId::OUTER.to_string(), "outer user");
    }

    #[test]
    fn a_name_is_read_strictly() {
        for index in [0, 1, 26, 27, 703, u32::MAX] {
            let id = NamespaceId { kind: Kind::User, index };
            assert_eq!(NamespaceId::parse(&id.to_string()), Some(id));
        }
        for text in ["", "uts", "uts ", "uts a", "uts A ", "UTS A", "uts  A", "outer uts", "x A"] {
            assert_eq!(NamespaceId::parse(text), None, "{text:?}");
        }
        assert_eq!(NamespaceId::parse("uts ZZZZZZZZ"), None, "no number of 32 bits");
    }
}
