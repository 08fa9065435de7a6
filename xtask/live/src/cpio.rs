//! An archive of files as the kernel unpacks one at boot ("newc", Documentation/driver-api/early-userspace/
//! buffer-format.rst).

use std::collections::BTreeMap;
use std::io::{self, Write};

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder,
    /// A program, or a file that is as readable as one.
    File(Vec<u8>),
    Link(String),
    /// A character device, by its two numbers.
    Device(u32, u32),
}

/// Paths without a `/` in front, each once.
#[derive(Default)]
pub(crate) struct Archive {
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    /// Adds an entry and the folders that it is in. An entry that is there already is replaced.
    pub(crate) fn add(&mut self, path: impl Into<String>, entry: Entry) {
        let path = path.into();
        let ends = path.match_indices('/').map(|(end, _)| end);
        for end in ends {
            self.entries.entry(path[..end].to_owned()).or_insert(Entry::Folder);
        }
        self.entries.insert(path, entry);
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// How many bytes the files have together.
    pub(crate) fn bytes(&self) -> usize {
        let size = |entry: &Entry| if let Entry::File(bytes) = entry { bytes.len() } else { 0 };
        self.entries.values().map(size).sum()
    }

    /// The same bytes for the same entries: there are no times in it, and everything is root's.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (number, (path, entry)) in (1_u32..).zip(&self.entries) {
            let (mode, body, device) = match entry {
                Entry::Folder => (0o040_755, &[][..], (0, 0)),
                Entry::File(bytes) => (0o100_755, &bytes[..], (0, 0)),
                Entry::Link(target) => (0o120_777, target.as_bytes(), (0, 0)),
                Entry::Device(major, minor) => (0o020_600, &[][..], (*major, *minor)),
            };
            record(out, number, mode, body, device, path)?;
        }
        record(out, 0, 0, &[], (0, 0), "TRAILER!!!")
    }
}

fn record(
    out: &mut impl Write,
    number: u32,
    mode: u32,
    body: &[u8],
    (major, minor): (u32, u32),
    path: &str,
) -> io::Result<()> {
    let too_long = |_| io::Error::other(format!("`{path}` is too long for the archive"));
    let length = u32::try_from(body.len()).map_err(too_long)?;
    let of_name = u32::try_from(path.len() + 1).map_err(too_long)?;
    let fields = [number, mode, 0, 0, 1, 0, length, 0, 0, major, minor, of_name, 0]
        .map(|field| format!("{field:08X}"));
    let head = format!("070701{}{path}\0", fields.concat());
    out.write_all(head.as_bytes())?;
    out.write_all(padding(head.len()))?;
    out.write_all(body)?;
    out.write_all(padding(body.len()))
}

/// Everything begins at a multiple of four.
fn padding(length: usize) -> &'static [u8] {
    &[0; 3][..length.wrapping_neg() % 4]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn archive() -> Archive {
        let mut archive = Archive::default();
        archive.add("usr/bin/one", Entry::File(b"seven b".to_vec()));
        archive.add("usr/bin/two", Entry::Link("one".into()));
        archive.add("dev/console", Entry::Device(5, 1));
        archive
    }

    #[test]
    fn every_record_begins_at_a_multiple_of_four_and_the_folders_come_first() {
        let mut bytes = Vec::new();
        archive().write(&mut bytes).unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let starts: Vec<usize> = bytes
            .windows(6)
            .enumerate()
            .filter(|(_, six)| six == b"070701")
            .map(|(at, _)| at)
            .collect();
        assert!(starts.iter().all(|start| start % 4 == 0), "{starts:?}");
        // dev, dev/console, usr, usr/bin, two in it, and the end.
        assert_eq!(starts.len(), 7);
        let place = |path: &str| {
            bytes.windows(path.len()).position(|part| part == path.as_bytes()).unwrap()
        };
        assert!(place("usr/bin\0") < place("usr/bin/one\0"));
        assert_eq!(archive().bytes(), 7);
    }

    #[test]
    fn another_program_reads_it() {
        let mut cpio = match Command::new("cpio")
            .args(["--list", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        {
            Ok(cpio) => cpio,
            Err(error) => return eprintln!("skipped: `cpio` cannot be started: {error}"),
        };
        archive().write(&mut cpio.stdin.take().unwrap()).unwrap();
        let listed = cpio.wait_with_output().unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert_eq!(listed, "dev\ndev/console\nusr\nusr/bin\nusr/bin/one\nusr/bin/two\n");
    }
}
