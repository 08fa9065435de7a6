//! Paths and files, without a word about the book.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The files under a directory, relative to it, without hidden ones, which are an editor's or Git's.
/// What cannot be read is left out.
pub(crate) fn files(root: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(path) = path.strip_prefix(root) {
                files.insert(path.to_owned());
            }
        }
    }
    files
}

/// Whether a file's name ends in `.EXTENSION`.
pub(crate) fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

/// Resolves `..` without looking at the file system.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if normalized.file_name().is_some() => {
                normalized.pop();
            }
            Component::CurDir => {}
            other => normalized.push(other),
        }
    }
    normalized
}

/// Undoes the percent encoding of a URL. A `%` that two hexadecimal digits do not follow stays.
pub(crate) fn percent_decoded(url: &str) -> String {
    let (mut decoded, mut rest) = (Vec::new(), url.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                decoded.push(code);
                rest = &after[2..];
            }
            _ => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
