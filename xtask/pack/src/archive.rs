//! A folder as an archive whose bytes depend on nothing but the files: they are in the order of their names,
//! belong to root, and are as old as each other.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use xtask::shared::failure::{Failure, Result};

use crate::file_failure;

/// The time of every file, in 2001. Cargo builds a file again that is younger than what was built from it, and
/// so, on a laptop whose clock is behind, would build everything again each time.
const TIME: u64 = 1_000_000_000;

pub(crate) struct Packed {
    pub(crate) files: usize,
    /// In bytes, as all sizes.
    pub(crate) size: u64,
    pub(crate) unpacked: u64,
    /// How much of the archive is what: `book`, `vendor` and the rest.
    pub(crate) parts: Vec<(&'static str, u64)>,
    pub(crate) sha256: String,
}

/// Whether `out` can be written, before anything is built.
pub(crate) fn is_free(out: &Path) -> Result<()> {
    let named = out.display();
    if out.is_dir() {
        return Err(Failure::usage(format!("`{named}` is a folder"))
            .help(format!("name a file: `--out {}`", out.join("pack.tar.gz").display())));
    }
    for file in [out, &sums_of(out)] {
        if fs::symlink_metadata(file).is_ok() {
            return Err(Failure::usage(format!("`{}` exists already", file.display()))
                .help("remove it, or name another file"));
        }
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::usage(format!("there is no folder `{}`", folder.display()))
                .help("make it, or name a file elsewhere"))
        }
        _ => Ok(()),
    }
}

/// The file of the checksum beside it.
fn sums_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".sha256");
    name.into()
}

/// Writes what is below `folder` to `out`, below the name `top`, and the checksum beside it. After a failure
/// there is neither.
pub(crate) fn write(folder: &Path, top: &str, out: &Path) -> Result<Packed> {
    let unfinished = {
        let mut name = out.as_os_str().to_owned();
        name.push(".part");
        PathBuf::from(name)
    };
    let written = fill(folder, top, &unfinished).and_then(|packed| {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        // In the format of sha256sum(1).
        fs::write(sums_of(out), format!("{}  {name}\n", packed.sha256))?;
        fs::rename(&unfinished, out)?;
        Ok(packed)
    });
    written.map_err(|error| {
        _ = fs::remove_file(&unfinished);
        _ = fs::remove_file(sums_of(out));
        file_failure("write", out, &error)
    })
}

fn fill(folder: &Path, top: &str, out: &Path) -> io::Result<Packed> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    let counted =
        Counted { file: BufWriter::new(File::create(out)?), size: 0, digest: Sha256::new() };
    let mut archive = tar::Builder::new(GzEncoder::new(counted, Compression::best()));
    let (mut unpacked, mut parts) = (0, BTreeMap::new());
    for file in &files {
        let path = folder.join(file);
        let about = path.metadata()?;
        let mut header = tar::Header::new_gnu();
        header.set_size(about.len());
        header.set_mode(if about.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 });
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        let before = archive.get_ref().get_ref().size;
        archive.append_data(&mut header, Path::new(top).join(file), File::open(&path)?)?;
        // The encoder holds a little back, which is counted with the next file.
        *parts.entry(part(file)).or_insert(0) += archive.get_ref().get_ref().size - before;
        unpacked += about.len();
    }
    let mut counted = archive.into_inner()?.finish()?;
    counted.file.flush()?;
    counted.file.get_ref().sync_all()?;
    let sha256 = counted.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let (files, size) = (files.len(), counted.size);
    Ok(Packed { files, size, unpacked, parts: parts.into_iter().collect(), sha256 })
}

fn part(file: &Path) -> &'static str {
    match (file.starts_with("vendor"), file.starts_with("book/book"), file.extension()) {
        (true, ..) => "crates",
        (_, true, Some(pdf)) if pdf == "pdf" => "PDF",
        (_, true, _) => "book",
        _ => "course",
    }
}

/// The files below `folder`, relative to `top`.
fn collect(top: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(top, &entry.path(), files)?;
        } else {
            files.push(entry.path().strip_prefix(top).expect("it lies below").to_owned());
        }
    }
    Ok(())
}

/// A file that knows its size and its digest.
struct Counted {
    file: BufWriter<File>,
    size: u64,
    digest: Sha256,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
