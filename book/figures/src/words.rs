//! Small parts of sentences.

/// `a`, `a and b`, `a, b and c`; `none` for nothing.
pub(crate) fn list(items: impl IntoIterator<Item = String>, none: &str) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    match (items.pop(), items.is_empty()) {
        (None, _) => none.to_owned(),
        (Some(only), true) => only,
        (Some(last), false) => format!("{} and {last}", items.join(", ")),
    }
}

/// With a full stop.
pub(crate) fn sentence(text: &str) -> String {
    format!("{text}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_sentences() {
        let of = |items: &[&str]| list(items.iter().map(|item| item.to_string()), "none");
        assert_eq!([of(&[]), of(&["a"]), of(&["a", "b", "c"])], ["none", "a", "a, b and c"]);
    }
}
