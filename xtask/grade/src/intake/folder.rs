//! A folder on disk.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::files::{Entry, Files, is_skipped, matters, trouble};
use crate::result::Trouble;

/// Folders in folders. The course has six.
const DEPTH: usize = 32;

/// What may matter below a folder. Nothing is read yet.
///
/// # Errors
///
/// There is too much, or a folder cannot be read.
pub(crate) fn walk(folder: &Path) -> Result<Files, Trouble> {
    let mut files = Files::default();
    let mut folders = vec![(folder.to_owned(), Vec::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        if depth > DEPTH {
            return Err(trouble(
                format!("its folders are more than {DEPTH} deep"),
                "hand in the folder `exercises` alone",
            ));
        }
        for entry in fs::read_dir(&folder).map_err(not_read)? {
            let entry = entry.map_err(not_read)?;
            files.count()?;
            let name = entry.file_name();
            let name = name.as_bytes();
            if is_skipped(name) {
                continue;
            }
            let path = if prefix.is_empty() { name.to_vec() } else { [&prefix, name].join(&b'/') };
            // Of the entry itself: a link is not followed.
            let kind = entry.file_type().map_err(not_read)?;
            if kind.is_symlink() {
                files.entries.insert(path, Entry::Irregular("a link"));
            } else if kind.is_dir() {
                if name.ends_with(b".rs") {
                    files.entries.insert(path.clone(), Entry::Irregular("a folder"));
                }
                folders.push((entry.path(), path, depth + 1));
            } else if matters(name) {
                let entry = if kind.is_file() {
                    let found = entry.metadata().map_err(not_read)?;
                    Entry::OnDisk(entry.path(), found.len(), found.modified().ok())
                } else {
                    Entry::Irregular("no regular file")
                };
                files.entries.insert(path, entry);
            }
        }
    }
    Ok(files)
}

fn not_read(error: io::Error) -> Trouble {
    trouble(format!("it cannot be read: {error}"), "copy it with permissions that allow reading it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_walked_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["a/src", "target/debug", "a/src/folder.rs"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        for path in ["a/src/main.rs", "target/debug/x.rs", "a/Cargo.toml"] {
            fs::write(at(path), "text").unwrap();
        }
        std::os::unix::fs::symlink("/etc", at("a/etc")).unwrap();
        nix::unistd::mkfifo(&at("a/src/pipe.rs"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let files = walk(folder.path()).unwrap();
        let found: Vec<_> = files
            .entries
            .iter()
            .map(|(path, entry)| {
                let what = match entry {
                    Entry::OnDisk(_, 4, Some(_)) => "file",
                    Entry::Irregular(what) => what,
                    other => panic!("{other:?}"),
                };
                (String::from_utf8_lossy(path).into_owned(), what)
            })
            .collect();
        let wanted = [
            ("a/etc", "a link"),
            ("a/src/folder.rs", "a folder"),
            ("a/src/main.rs", "file"),
            ("a/src/pipe.rs", "no regular file"),
        ];
        assert_eq!(found, wanted.map(|(path, what)| (path.to_owned(), what)));
    }

    #[test]
    fn a_folder_with_too_much_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = folder.path().join("deep");
        (0..DEPTH + 2).for_each(|_| deep.push("d"));
        fs::create_dir_all(&deep).unwrap();
        assert!(walk(folder.path()).unwrap_err().cause.contains("deep"));
        assert!(walk(&folder.path().join("none")).unwrap_err().cause.contains("cannot be read"));
    }
}
