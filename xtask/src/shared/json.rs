//! The JSON that we write: strings are all there is to it.

use std::fmt::Write as _;

use harness::acts;

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            acting if acts(acting) => _ = write!(out, "\\u{:04x}", acting as u32),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The same lines of JSON, and a reader who looks at them sees nothing but them. What acts on a
/// screen stands in strings only, and may be written as an escape there.
pub(crate) fn harmless(lines: &str) -> String {
    let mut out = String::new();
    for character in lines.chars() {
        match character {
            acting if acts(acting) && acting != '\n' => {
                _ = write!(out, "\\u{:04x}", acting as u32);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_json() {
        assert_eq!(quoted("a\"b\\\n\u{1}ü"), "\"a\\\"b\\\\\\n\\u0001ü\"");
        assert_eq!(quoted("\u{9b}\r\u{202e}"), "\"\\u009b\\u000d\\u202e\"");
        assert_eq!(harmless("{\"ü\u{7f}\"}\n"), "{\"ü\\u007f\"}\n");
    }
}
