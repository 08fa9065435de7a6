//! Patterns in which `*` stands for any text.

/// Whether `text` matches `pattern`, in which `*` stands for any text. The time that it takes is
/// proportional to the length of the text: a program may print megabytes that nearly match.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_prefix(first).and_then(|text| text.strip_suffix(last)) else {
        return false;
    };
    // The first place of each piece leaves the most text for the others.
    between.split('*').all(|piece| match text.split_once(piece) {
        Some((_, after)) => {
            text = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(glob("B", "B") && !glob("B", "AB"));
        assert!(glob("*", "") && glob("*ted", "Operation not permitted") && glob("a*c*e", "abcde"));
        assert!(!glob("a*c*f", "abcde") && !glob("*b", ""));
    }
}
