//! Digests: whether two things are the same, without keeping them.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Of parts, in their order. Two lists of parts that are cut differently have different digests.
#[derive(Default)]
pub struct Digest(Sha256);

impl Digest {
    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// Sixteen bytes of it.
    pub fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0.finalize()[..16]);
        bytes
    }

    /// `sha256:` and sixteen bytes of it in hexadecimal, which is enough to tell programs apart.
    pub fn text(self) -> String {
        let mut text = "sha256:".to_owned();
        for byte in self.bytes() {
            _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    fn of(parts: &[&str]) -> String {
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.add(part));
        digest.text()
    }

    #[test]
    fn a_digest_depends_on_where_the_parts_end() {
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(of(&[]), "sha256:e3b0c44298fc1c149afbf4c8996fb924");
    }
}
