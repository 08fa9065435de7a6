//! The files of one submission that may matter.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::result::Trouble;

/// Entries of one submission, folders included. The course's own checkout has a tenth of them.
const ENTRIES: usize = 20_000;
/// Bytes of one source.
pub(crate) const SOURCE: u64 = 1 << 20;
/// Bytes of an archive in a submission.
pub(crate) const ARCHIVE: u64 = 32 << 20;
/// Bytes of all sources and archives of one submission that are kept.
const KEPT: u64 = 64 << 20;

/// Folders that hold no source of an exercise, however large they are.
const SKIPPED: [&[u8]; 4] = [b"target", b".git", b"node_modules", b"__MACOSX"];

/// A file, or what lies in its place.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// Not read yet; where, how long, and from when.
    OnDisk(PathBuf, u64, Option<SystemTime>),
    Bytes(Vec<u8>),
    /// Longer than a source or an archive may be.
    TooLong,
    /// No regular file: a link, a folder, a fifo.
    Irregular(&'static str),
}

/// Sources, archives, and links and such in their places, by their paths: components without `.` and
/// `..`, joined by `/`.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub(crate) entries: BTreeMap<Vec<u8>, Entry>,
    /// The newest time that is known for all of them.
    pub(crate) time: Option<SystemTime>,
    /// Entries, kept or not.
    seen: usize,
    /// Bytes.
    kept: u64,
}

/// A submission that cannot be read.
pub(crate) fn trouble(cause: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble { cause: cause.into(), remedy: remedy.into(), said: String::new() }
}

/// What an entry is, before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Irregular(&'static str),
}

/// Whether a file of this name is kept: a source, or an archive.
pub(crate) fn matters(name: &[u8]) -> bool {
    name.ends_with(b".rs") || is_archive_name(name)
}

/// Whether it is called as archives are.
pub(crate) fn is_archive_name(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    [&b".zip"[..], b".tar", b".tar.gz", b".tgz", b".tar.xz", b".tar.zst", b".7z", b".rar"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Whether a folder of this name is left out.
pub(crate) fn is_skipped(name: &[u8]) -> bool {
    SKIPPED.contains(&name)
}

/// A path of an archive as components joined by `/`.
///
/// # Errors
///
/// It leads out of the submission.
pub(crate) fn inside(path: &[u8]) -> Result<Vec<u8>, Trouble> {
    // Windows has the other separator, and drives.
    let path: Vec<u8> = path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    let leads_out = path.starts_with(b"/")
        || path.get(1) == Some(&b':')
        || path.split(|byte| *byte == b'/').any(|component| component == b"..");
    if leads_out {
        let shown = shown(&path);
        return Err(trouble(
            format!("a path in the archive leads out of it: `{shown}`"),
            "pack the archive again, with paths that begin at its top",
        ));
    }
    let components = path.split(|byte| *byte == b'/');
    let components = components.filter(|component| !component.is_empty() && *component != b".");
    Ok(components.collect::<Vec<_>>().join(&b'/'))
}

/// A path for a message.
pub(crate) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).chars().take(200).collect()
}

impl Files {
    /// None yet, of this time.
    pub(crate) fn from_time(time: Option<SystemTime>) -> Files {
        Files { time, ..Files::default() }
    }

    /// Counts an entry.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub(crate) fn count(&mut self) -> Result<(), Trouble> {
        self.seen += 1;
        match self.seen > ENTRIES {
            false => Ok(()),
            true => Err(trouble(
                format!("it has more than {ENTRIES} files and folders"),
                "hand in the folder `exercises` alone",
            )),
        }
    }

    /// Takes an entry of an archive, if it matters. `path` comes from [`inside`].
    ///
    /// # Errors
    ///
    /// There is too much, or it cannot be read.
    pub(crate) fn take(
        &mut self,
        path: Vec<u8>,
        kind: Kind,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), Trouble> {
        self.count()?;
        let mut components = path.split(|byte| *byte == b'/');
        let name = components.next_back().unwrap_or_default();
        if path.is_empty() || components.any(is_skipped) || is_skipped(name) {
            return Ok(());
        }
        let entry = match kind {
            Kind::Irregular(what) => Entry::Irregular(what),
            Kind::Folder if name.ends_with(b".rs") => Entry::Irregular("a folder"),
            Kind::Folder => return Ok(()),
            Kind::File if !matters(name) => return Ok(()),
            Kind::File => {
                let most = if is_archive_name(name) { ARCHIVE } else { SOURCE };
                self.read(size, most, content).map_err(|error| {
                    trouble(
                        format!("`{}` in the archive cannot be read: {error}", shown(&path)),
                        "pack the archive again",
                    )
                })?
            }
        };
        if self.kept > KEPT {
            let most = KEPT >> 20;
            return Err(trouble(
                format!("it has more than {most} MiB of sources and archives"),
                "hand in the folder `exercises` alone",
            ));
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// The size that an archive claims proves nothing, so the bytes are counted.
    fn read(&mut self, size: u64, most: u64, content: &mut dyn Read) -> io::Result<Entry> {
        if size > most {
            return Ok(Entry::TooLong);
        }
        let mut bytes = Vec::new();
        content.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Ok(Entry::TooLong);
        }
        self.kept += bytes.len() as u64;
        Ok(Entry::Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        for (path, wanted) in [
            (
                &b"./exercises//ch02-unshare/./src/main.rs"[..],
                &b"exercises/ch02-unshare/src/main.rs"[..],
            ),
            (b"exercises\\ch02-unshare\\src\\main.rs", b"exercises/ch02-unshare/src/main.rs"),
            (b"\xff.rs", b"\xff.rs"),
            (b"..a/b..", b"..a/b.."),
        ] {
            assert_eq!(inside(path).unwrap(), wanted);
        }
        for path in [&b"/etc/passwd"[..], b"../x", b"a/../../x", b"..", b"C:\\x", b"a\\..\\x"] {
            assert!(inside(path).is_err(), "{}", shown(path));
        }
    }

    #[test]
    fn what_does_not_matter_is_not_read() {
        struct Unread;
        impl Read for Unread {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("it was read"))
            }
        }
        let mut files = Files::default();
        for path in ["target/debug/build/x/main.rs", "a/.git/x.rs", "Cargo.toml", "a.png"] {
            files.take(path.into(), Kind::File, 1, &mut Unread).unwrap();
        }
        files.take(b"big.rs".to_vec(), Kind::File, SOURCE + 1, &mut Unread).unwrap();
        assert!(files.take(b"main.rs".to_vec(), Kind::File, 1, &mut Unread).is_err());
        assert!(matches!(&files.entries[&b"big.rs"[..]], Entry::TooLong));
        assert_eq!(files.entries.len(), 1);
    }

    #[test]
    fn a_size_that_is_not_true_does_not_count() {
        let mut files = Files::default();
        files.take(b"main.rs".to_vec(), Kind::File, 5, &mut io::repeat(b' ')).unwrap();
        assert!(matches!(files.entries[&b"main.rs"[..]], Entry::TooLong));
    }
}
