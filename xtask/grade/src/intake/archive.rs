//! Zip and tar archives, read entry by entry.

use std::io::{self, BufReader, Read, Seek};

use flate2::read::MultiGzDecoder;
use tar::EntryType;
use zip::ZipArchive;

use super::files::{ARCHIVE, Kind, inside, trouble};
use crate::result::Trouble;

/// Bytes that a tar archive may have when it is unpacked: to find an entry, all before it are read.
const UNPACKED: u64 = 1 << 30;

/// What is done with an entry: its path, its kind, the size that the archive claims, and its content.
pub(crate) type Each<'a> = dyn FnMut(Vec<u8>, Kind, u64, &mut dyn Read) -> Result<(), Trouble> + 'a;

/// Calls `each` for all entries of an archive.
///
/// # Errors
///
/// That of `each`, a path that leads out of the archive, or damage.
pub(crate) fn read(mut archive: impl Read + Seek, each: &mut Each) -> Result<(), Trouble> {
    let mut start = Vec::new();
    archive.by_ref().take(262).read_to_end(&mut start).map_err(damaged)?;
    archive.rewind().map_err(damaged)?;
    match start.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => read_zip(archive, each),
        [0x1f, 0x8b, ..] => read_tar(MultiGzDecoder::new(BufReader::new(archive)), each),
        tar if tar.get(257..262) == Some(b"ustar") => read_tar(BufReader::new(archive), each),
        _ => Err(trouble(
            "it is no archive that can be read",
            "hand in a zip or a tar.gz archive, or the folder itself",
        )),
    }
}

/// Calls `each` for all entries of a tar archive that comes from somewhere.
///
/// # Errors
///
/// As for [`read`].
pub(crate) fn read_tar(from: impl Read, each: &mut Each) -> Result<(), Trouble> {
    let mut archive = tar::Archive::new(from.take(UNPACKED));
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink | EntryType::Link => Kind::Irregular("a link"),
            // Comments and settings of the format itself.
            EntryType::XGlobalHeader | EntryType::XHeader => continue,
            _ => Kind::Irregular("no regular file"),
        };
        let (path, size) = (inside(&entry.path_bytes())?, entry.size());
        each(path, kind, size, &mut entry)?;
    }
    Ok(())
}

fn read_zip(archive: impl Read + Seek, each: &mut Each) -> Result<(), Trouble> {
    let mut archive = ZipArchive::new(archive).map_err(|error| damaged(error.into()))?;
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(|error| damaged(error.into()))?;
        let path = inside(raw.name_raw())?;
        let kind = match raw.unix_mode().unwrap_or(0) & 0o170_000 {
            _ if raw.is_dir() => Kind::Folder,
            0 | 0o100_000 => Kind::File,
            0o120_000 => Kind::Irregular("a link"),
            _ => Kind::Irregular("no regular file"),
        };
        let size = raw.size();
        drop(raw);
        let mut content = Unopened { archive: &mut archive, index, opened: None };
        each(path, kind, size, &mut content)?;
    }
    Ok(())
}

/// An entry of a zip archive that is decompressed only if it is read.
struct Unopened<'a, R> {
    archive: &'a mut ZipArchive<R>,
    index: usize,
    opened: Option<io::Cursor<Vec<u8>>>,
}

impl<R: Read + Seek> Read for Unopened<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.opened.is_none() {
            // A reader asks for a little more than it wants, and the rest is never decompressed.
            let most = ARCHIVE + 1;
            let mut bytes = Vec::new();
            self.archive.by_index(self.index)?.take(most).read_to_end(&mut bytes)?;
            self.opened = Some(io::Cursor::new(bytes));
        }
        self.opened.as_mut().map_or(Ok(0), |opened| opened.read(buffer))
    }
}

fn damaged(error: io::Error) -> Trouble {
    trouble(format!("the archive is damaged: {error}"), "pack the archive again")
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    fn paths(bytes: &[u8]) -> Result<Vec<(String, Kind, Vec<u8>)>, String> {
        let mut found = Vec::new();
        let mut each = |path: Vec<u8>, kind, _, content: &mut dyn Read| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(damaged)?;
            found.push((String::from_utf8_lossy(&path).into_owned(), kind, bytes));
            Ok(())
        };
        read(Cursor::new(bytes), &mut each).map_err(|trouble| trouble.cause)?;
        Ok(found)
    }

    fn tar() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |path: &[u8], kind: EntryType, content: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.as_old_mut().name[..path.len()].copy_from_slice(path);
            header.set_entry_type(kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, content).unwrap();
        };
        add(b"src/", EntryType::Directory, b"");
        add(b"src/main.rs", EntryType::Regular, b"fn main() {}");
        add(b"src/link.rs", EntryType::Symlink, b"");
        add(b"src/pipe.rs", EntryType::Fifo, b"");
        builder.into_inner().unwrap()
    }

    fn expected() -> Vec<(String, Kind, Vec<u8>)> {
        let file = |path: &str, kind, content: &[u8]| (path.to_owned(), kind, content.to_vec());
        vec![
            file("src", Kind::Folder, b""),
            file("src/main.rs", Kind::File, b"fn main() {}"),
            file("src/link.rs", Kind::Irregular("a link"), b""),
            file("src/pipe.rs", Kind::Irregular("no regular file"), b""),
        ]
    }

    #[test]
    fn a_tar_archive_is_read() {
        assert_eq!(paths(&tar()).unwrap(), expected());
    }

    #[test]
    fn a_compressed_one_is_read_and_damage_is_found() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&tar()).unwrap();
        let bytes = encoder.finish().unwrap();
        assert_eq!(paths(&bytes).unwrap(), expected());
        assert!(paths(&bytes[..bytes.len() / 2]).unwrap_err().contains("damaged"));
    }

    #[test]
    fn a_zip_archive_is_read_and_damage_is_found() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        writer.add_directory("src", options).unwrap();
        writer.start_file("src/main.rs", options).unwrap();
        writer.write_all(b"fn main() {}").unwrap();
        writer.add_symlink("src/link.rs", "/etc/passwd", options).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let found = paths(&bytes).unwrap();
        assert_eq!(found[..2], expected()[..2]);
        assert_eq!(found[2].1, Kind::Irregular("a link"));
        assert!(paths(&bytes[..bytes.len() - 30]).unwrap_err().contains("damaged"));
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for bytes in [&b""[..], b"P", b"7z\xbc\xaf\x27\x1c", &[0; 600]] {
            assert_eq!(paths(bytes).unwrap_err(), "it is no archive that can be read");
        }
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("../evil.rs", zip::write::SimpleFileOptions::default()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert!(paths(&bytes).unwrap_err().contains("leads out"));
    }
}
