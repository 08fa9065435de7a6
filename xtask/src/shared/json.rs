//! The JSON that is printed: with its fields in an order for readers, and without a character that
//! changes the screen.

use std::fmt::Write as _;

use harness::is_unprintable;
use serde_json::Value;

/// A JSON object with its fields in this order. (serde_json's own sorts them.)
pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> String {
    let fields = fields.into_iter().map(|(key, value)| format!("{}:{value}", Value::from(key)));
    harmless(&format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
}

/// The same lines of JSON with escapes for unprintable characters, which occur in strings only.
pub fn harmless(lines: &str) -> String {
    let mut out = String::new();
    for character in lines.chars() {
        match character {
            unprintable if is_unprintable(unprintable) && unprintable != '\n' => {
                _ = write!(out, "\\u{:04x}", unprintable as u32);
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
        assert_eq!(object([("a", "\"\\\n\u{9b}\u{202e}".into())]), r#"{"a":"\"\\\n\u009b\u202e"}"#);
        assert_eq!(object([("b", 1.into()), ("a", "\u{7f}".into())]), r#"{"b":1,"a":"\u007f"}"#);
        assert_eq!(harmless("{\"ü\u{7f}\"}\n"), "{\"ü\\u007f\"}\n");
    }
}
