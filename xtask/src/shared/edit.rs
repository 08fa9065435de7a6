//! Changes a text at places that it has exactly once.

use harness::mistakes::Edit;

/// Makes a mistake in a solution: each `find` occurs in the text exactly once and becomes its
/// `replace`.
///
/// # Errors
///
/// The first `find` that the text does not have, or has more than once.
pub fn apply(text: &str, edits: &[Edit]) -> std::result::Result<String, String> {
    edits.iter().try_fold(text.to_owned(), |text, Edit { find, replace }| {
        match text.matches(find.as_str()).count() {
            1 => Ok(text.replacen(find.as_str(), replace, 1)),
            0 => Err(format!("not in the solution: {find:?}")),
            many => Err(format!("{many} times in the solution: {find:?}")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(find: &str, replace: &str) -> Edit {
        Edit { find: find.into(), replace: replace.into() }
    }

    #[test]
    fn an_edit_replaces_the_only_place() {
        assert_eq!(apply("a b c", &[edit("b", "x"), edit("x c", "y")]).unwrap(), "a y");
        assert_eq!(apply("unchanged", &[]).unwrap(), "unchanged");
    }

    #[test]
    fn an_edit_that_finds_nothing_or_too_much_is_an_error() {
        let missing = apply("a b c", &[edit("z", "")]).unwrap_err();
        assert!(missing.contains("not in the solution") && missing.contains("\"z\""), "{missing}");
        let twice = apply("a b a", &[edit("a", "")]).unwrap_err();
        assert!(twice.contains("2 times"), "{twice}");
    }
}
