//! Whether this checkout is a clone of the repository, or was unpacked from a workshop's archive
//! (`cargo xtask pack`), which lacks some of it.

use std::fs;

use crate::shared::chapter::checkout;
use crate::shared::failure::Failure;

/// The file at the top of an unpacked archive that says which one it is: a table of TOML.
pub const FILE: &str = "pack.toml";

/// The edition of the course that was unpacked here, such as `2026-11-30-1a2b3c4`. `None` in a clone, and outside of
/// any checkout.
pub fn edition() -> Option<String> {
    let text = fs::read_to_string(checkout()?.join(FILE)).ok()?;
    edition_in(&text)
}

/// The edition that such a file names.
pub fn edition_in(text: &str) -> Option<String> {
    let table = toml::de::DeTable::parse(text).ok()?;
    Some(table.get_ref().get("edition")?.get_ref().as_str()?.to_owned())
}

/// What a command needs is not there, because it was not packed. `what` is what it has instead, such as
/// `no solutions`.
pub fn lacks(what: &str) -> Failure {
    Failure::new(format!("this copy of the course is a workshop's, and has {what}"))
        .help("work in a clone of the course's repository, which has all of it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edition_is_read() {
        assert_eq!(edition_in("edition = \"a\"\ncommit = \"b\"\n").as_deref(), Some("a"));
        for other in ["", "edition = 1\n", "edition = \"", "\0"] {
            assert_eq!(edition_in(other), None, "{other}");
        }
    }
}
