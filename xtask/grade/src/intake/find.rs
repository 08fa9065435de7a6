//! Which submissions there are, and what their keys are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use harness::is_unprintable;
use xtask::shared::failure::{Failure, Result};

use super::files::{ARCHIVE, Entry, Files, Kind, is_archive_name, is_skipped, shown, trouble};
use super::sources::{is_chapter_name, stem};
use super::{archive, folder, repository};
use crate::digest::Digest;
use crate::result::Trouble;

/// Bytes of a key. It is the name of a folder.
const KEY: usize = 200;

/// What Moodle puts between a student and a file.
const MOODLE: &[u8] = b"_assignsubmission_";

/// A submission.
#[derive(Debug)]
pub struct Handed {
    /// The student's.
    pub key: String,
    /// Its name as it was handed in.
    pub name: String,
    place: Place,
}

/// Where it is.
#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Repository(PathBuf),
    Archive(PathBuf),
    Program(PathBuf),
    /// A part of an export that is one archive.
    Part(Box<Files>),
    /// It cannot be read.
    Unreadable(Trouble),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of their keys, of which each occurs once.
    pub handed: Vec<Handed>,
    /// Files beside submissions that are none.
    pub ignored: Vec<String>,
}

/// Finds the submissions at these places: each is a submission or a folder or archive of them.
///
/// # Errors
///
/// There is nothing at a place.
pub fn find(places: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    for place in places {
        let kind = fs::metadata(place).map_err(|error| {
            Failure::usage(format!("could not read `{}`: {error}", place.display()))
                .help("name a folder, an archive, a git repository or a main.rs")
        })?;
        match kind.is_dir() {
            true => found.add_folder(place)?,
            false => found.add_file(place),
        }
    }
    found.set_doubles_aside();
    Ok(found)
}

/// Takes a place for one submission with this key, whatever it looks like: a system that grades hands over one
/// at a time, and a student's two programs are no two students.
///
/// # Errors
///
/// There is nothing at the place.
pub fn one(place: &Path, key: &str) -> Result<Found> {
    let not_read = |error| {
        Failure::usage(format!("could not read `{}`: {error}", place.display()))
            .help("name a folder, an archive, a git repository or a main.rs")
    };
    let place = place.canonicalize().map_err(not_read)?;
    let name = place.file_name().unwrap_or_default().as_bytes().to_vec();
    let kind = fs::metadata(&place).map_err(not_read)?;
    let place = match kind.is_dir() {
        true if repository::is_repository(&place) => Place::Repository(place),
        true => Place::Folder(place),
        false if name.ends_with(b".rs") => Place::Program(place),
        false => Place::Archive(place),
    };
    let handed = Handed { key: self::key(key.as_bytes()), name: shown(&name), place };
    Ok(Found { handed: vec![handed], ignored: Vec::new() })
}

impl Found {
    fn add(&mut self, name: &[u8], place: Place) {
        let key = key(student(name));
        self.handed.push(Handed { key, name: shown(name), place });
    }

    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let not_read =
            |error| Failure::usage(format!("could not read `{}`: {error}", folder.display()));
        let own = folder.canonicalize().map_err(not_read)?;
        let name = own.file_name().unwrap_or_default().as_bytes().to_vec();
        let mut names = Vec::new();
        for entry in fs::read_dir(&own).map_err(not_read)? {
            names.push(entry.map_err(not_read)?.file_name());
        }
        names.sort();
        if repository::is_repository(&own) {
            self.add(&name, Place::Repository(own));
            return Ok(());
        }
        let top = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let has = |path: &[u8]| own.join(std::ffi::OsStr::from_bytes(path)).exists();
        if is_submission(&top, &has) {
            self.add(&name, Place::Folder(own));
            return Ok(());
        }
        for entry in names {
            self.add_entry(&own.join(&entry), entry.as_bytes());
        }
        Ok(())
    }

    /// An entry of a folder of submissions.
    fn add_entry(&mut self, path: &Path, name: &[u8]) {
        if name.starts_with(b".") || is_skipped(name) {
            return;
        }
        let Ok(kind) = fs::symlink_metadata(path).map(|found| found.file_type()) else {
            self.add(name, Place::Unreadable(trouble("it cannot be read", "copy it again")));
            return;
        };
        let looks_like_one = name.ends_with(b".rs") || is_archive_name(name);
        if kind.is_dir() && repository::is_repository(path) {
            self.add(name, Place::Repository(path.to_owned()));
        } else if kind.is_dir() {
            self.add(name, Place::Folder(path.to_owned()));
        } else if kind.is_symlink() || (looks_like_one && !kind.is_file()) {
            let what = if kind.is_fifo() { "a fifo" } else { "a link or a device" };
            let remedy = "hand in a folder, an archive or a file";
            self.add(name, Place::Unreadable(trouble(format!("it is {what}"), remedy)));
        } else if is_archive_name(name) {
            self.add(name, Place::Archive(path.to_owned()));
        } else if name.ends_with(b".rs") {
            self.add(name, Place::Program(path.to_owned()));
        } else {
            self.ignored.push(shown(name));
        }
    }

    /// A file that was named: a program, or an archive with one submission or many.
    fn add_file(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().as_bytes().to_vec();
        if name.ends_with(b".rs") {
            self.add(&name, Place::Program(path.to_owned()));
            return;
        }
        match names_in(path) {
            Err(trouble) => self.add(&name, Place::Unreadable(trouble)),
            Ok(names) if is_one_submission(&names) => {
                self.add(&name, Place::Archive(path.to_owned()));
            }
            Ok(_) => match parts(path) {
                Err(trouble) => self.add(&name, Place::Unreadable(trouble)),
                Ok(parts) => {
                    for (name, part) in parts {
                        self.add(&name, part);
                    }
                }
            },
        }
    }

    /// Of several submissions with one key none is graded, because nothing says which one counts.
    fn set_doubles_aside(&mut self) {
        self.handed.sort_by(|a, b| (&a.key, &a.name).cmp(&(&b.key, &b.name)));
        let mut single: Vec<Handed> = Vec::new();
        for handed in std::mem::take(&mut self.handed) {
            match single.last_mut().filter(|last| last.key == handed.key) {
                None => single.push(handed),
                Some(last) => {
                    last.name = format!("{}, {}", last.name, handed.name);
                    last.place = Place::Unreadable(trouble(
                        format!("several submissions have this key: {}", last.name),
                        "leave one of them, or rename one",
                    ));
                }
            }
        }
        self.handed = single;
    }
}

impl Handed {
    /// Whether git reads it.
    pub fn is_repository(&self) -> bool {
        matches!(self.place, Place::Repository(_))
    }

    /// The files that may matter, and when they are from.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read(&self) -> std::result::Result<Files, Trouble> {
        let files = match &self.place {
            Place::Folder(folder) => folder::walk(folder)?,
            Place::Repository(folder) => repository::read(folder)?,
            Place::Archive(file) => read_archive(file)?,
            Place::Program(file) => {
                let found = fs::metadata(file).map_err(|error| damaged(&error))?;
                let time = found.modified().ok();
                let name = file.file_name().unwrap_or_default().as_bytes().to_vec();
                let mut files = Files::default();
                files.entries.insert(name, Entry::OnDisk(file.clone(), found.len(), time));
                files
            }
            Place::Part(files) => (**files).clone(),
            Place::Unreadable(trouble) => return Err(trouble.clone()),
        };
        unpacked(files)
    }
}

/// A submission that is one archive in a folder, as learning platforms hand them out.
fn unpacked(files: Files) -> std::result::Result<Files, Trouble> {
    let has_source = files.entries.keys().any(|path| path.ends_with(b".rs"));
    let mut archives = files.entries.iter().filter(|(path, _)| is_archive_name(path));
    let (Some((_, only)), None) = (archives.next(), archives.next()) else { return Ok(files) };
    if has_source {
        return Ok(files);
    }
    match only {
        Entry::OnDisk(path, ..) => read_archive(path),
        Entry::Bytes(bytes) => {
            let mut inner = collected(Cursor::new(bytes))?;
            inner.time = files.time;
            Ok(inner)
        }
        Entry::TooLong => Err(trouble(
            format!("its archive has more than {} MiB", ARCHIVE >> 20),
            "hand in the folder `exercises` alone",
        )),
        Entry::Irregular(what) => Err(trouble(format!("its archive is {what}"), "hand in a file")),
    }
}

fn open(file: &Path) -> std::result::Result<(File, Option<SystemTime>), Trouble> {
    // Without waiting for the other end of a fifo.
    let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(file);
    let opened = opened.map_err(|error| damaged(&error))?;
    let found = opened.metadata().map_err(|error| damaged(&error))?;
    match found.is_file() {
        true => Ok((opened, found.modified().ok())),
        false => Err(trouble("it is no regular file", "hand in a folder, an archive or a file")),
    }
}

fn read_archive(file: &Path) -> std::result::Result<Files, Trouble> {
    let (opened, time) = open(file)?;
    let mut files = collected(opened)?;
    files.time = time;
    Ok(files)
}

fn collected(from: impl Read + std::io::Seek) -> std::result::Result<Files, Trouble> {
    let mut files = Files::default();
    let mut each = |path, kind, size, content: &mut dyn Read| files.take(path, kind, size, content);
    archive::read(from, &mut each)?;
    Ok(files)
}

/// The first three components of all paths in an archive, and each path that is shorter.
fn names_in(file: &Path) -> std::result::Result<BTreeSet<Vec<u8>>, Trouble> {
    let mut names = BTreeSet::new();
    let (opened, _) = open(file)?;
    let mut each = |path: Vec<u8>, _, _, _: &mut dyn Read| {
        let components: Vec<&[u8]> = path.split(|byte| *byte == b'/').take(3).collect();
        (1..=components.len()).for_each(|many| _ = names.insert(components[..many].join(&b'/')));
        Ok(())
    };
    archive::read(opened, &mut each)?;
    Ok(names)
}

/// Whether an archive is one submission, and no export of many.
fn is_one_submission(names: &BTreeSet<Vec<u8>>) -> bool {
    let at_top = |name: &&Vec<u8>| !name.contains(&b'/') && !name.starts_with(b".");
    let at_top = |name: &&Vec<u8>| at_top(name) && !is_skipped(name);
    let top: BTreeSet<Vec<u8>> = names.iter().filter(at_top).cloned().collect();
    let has = |path: &[u8]| names.contains(path);
    // A repository's archive has everything in one folder.
    let in_one_folder = || match top.first() {
        Some(only) if top.len() == 1 => has(&[only, &b"exercises"[..]].join(&b'/')),
        first => first.is_none(),
    };
    is_submission(&top, &has) || in_one_folder()
}

/// Whether a folder with these names in it is a submission, and no folder of submissions.
fn is_submission(top: &BTreeSet<Vec<u8>>, has: &dyn Fn(&[u8]) -> bool) -> bool {
    let is_chapter = |name: &Vec<u8>| {
        let sources = [name, &b"src"[..]].join(&b'/');
        std::str::from_utf8(name).is_ok_and(is_chapter_name) && has(&sources)
    };
    top.contains(&b"main.rs"[..])
        || has(b"src/main.rs")
        || top.contains(&b"exercises"[..])
        || top.iter().any(is_chapter)
}

/// The submissions of an export that is one archive, by the names of their folders and files.
fn parts(file: &Path) -> std::result::Result<Vec<(Vec<u8>, Place)>, Trouble> {
    let (opened, time) = open(file)?;
    let mut parts: BTreeMap<Vec<u8>, std::result::Result<Files, Trouble>> = BTreeMap::new();
    let mut each = |path: Vec<u8>, kind: Kind, size: u64, content: &mut dyn Read| {
        let (name, rest) = match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None if kind == Kind::Folder => return Ok(()),
            None => (&path[..], &path[..]),
        };
        let in_folder = name.len() < path.len();
        let is_one = in_folder || name.ends_with(b".rs") || is_archive_name(name);
        if !is_one || name.starts_with(b".") || is_skipped(name) {
            return Ok(());
        }
        let part = parts.entry(name.to_vec()).or_insert_with(|| Ok(Files::from_time(time)));
        // Too much in one of them is no trouble of the others.
        if let Ok(files) = part
            && let Err(trouble) = files.take(rest.to_vec(), kind, size, content)
        {
            *part = Err(trouble);
        }
        Ok(())
    };
    archive::read(opened, &mut each)?;
    let place = |part| match part {
        Ok(files) => Place::Part(Box::new(files)),
        Err(trouble) => Place::Unreadable(trouble),
    };
    Ok(parts.into_iter().map(|(name, part)| (name, place(part))).collect())
}

fn damaged(error: &std::io::Error) -> Trouble {
    trouble(format!("it cannot be read: {error}"), "copy it with permissions that allow reading it")
}

/// The student's part of a name: without the ending of an archive or a program, and without what Moodle
/// adds.
fn student(name: &[u8]) -> &[u8] {
    let of_moodle = name.windows(MOODLE.len()).position(|part| part == MOODLE);
    of_moodle.map_or_else(|| stem(name), |end| &name[..end])
}

/// A key of a name: a folder's name, too, so that what cannot stand in one is written as `%2F`.
fn key(name: &[u8]) -> String {
    let mut key = String::new();
    let escape = |key: &mut String, bytes: &[u8]| {
        bytes.iter().for_each(|byte| key.push_str(&format!("%{byte:02X}")));
    };
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let starts = key.is_empty() && ['.', '-', ' '].contains(&character);
            match character {
                '/' | '\\' | '%' => escape(&mut key, character.to_string().as_bytes()),
                other if starts || is_unprintable(other) => {
                    escape(&mut key, other.to_string().as_bytes());
                }
                other => key.push(other),
            }
        }
        escape(&mut key, chunk.invalid());
    }
    if key.is_empty() {
        return "%".to_owned();
    }
    if key.len() <= KEY {
        return key;
    }
    let mut digest = Digest::default();
    digest.add(&key);
    let end = (0..=KEY - 40).rev().find(|end| key.is_char_boundary(*end)).unwrap_or(0);
    format!("{}%{}", &key[..end], digest.text().trim_start_matches("sha256:"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn keys(found: &Found) -> Vec<&str> {
        found.handed.iter().map(|handed| handed.key.as_str()).collect()
    }

    fn write(folder: &Path, files: &[&str]) {
        for file in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "fn main() {}\n").unwrap();
        }
    }

    fn zip(files: &[&str]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for file in files {
            writer.start_file(*file, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(b"fn main() {}\n").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_key_is_the_name_of_a_folder() {
        for (name, wanted) in [
            (&b"alice"[..], "alice"),
            (b"alice.tar.gz", "alice"),
            (b"alice.rs", "alice"),
            (b"Ana M\xc3\xbcller_12_assignsubmission_file", "Ana M\u{fc}ller_12"),
            (b"Ana_12_assignsubmission_file_main.rs", "Ana_12"),
            (b"a\xffb", "a%FFb"),
            (b"../a%b", "%2E.%2Fa%25b"),
            (b"a\nb", "a%0Ab"),
            (b"", "%"),
        ] {
            assert_eq!(key(student(name)), wanted);
        }
        let long = [b'x'; 300];
        assert!(key(&long).len() <= KEY && key(&long) != key(&long[1..]));
    }

    #[test]
    fn one_submission_is_told_from_a_folder_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("checkout"), &["exercises/ch02-unshare/src/main.rs", "README.md"]);
        write(&at("bare"), &["main.rs", "net.rs"]);
        write(&at("chapters"), &["ch02-unshare/src/main.rs"]);
        write(
            &at("many"),
            &["a/main.rs", "b/exercises/ch02-unshare/src/main.rs", "c.rs", "notes.txt"],
        );
        fs::write(at("many/d.zip"), zip(&["main.rs"])).unwrap();
        std::os::unix::fs::symlink("a", at("many/e")).unwrap();
        for one in ["checkout", "bare", "chapters"] {
            assert_eq!(keys(&find(&[at(one)]).unwrap()), [one]);
        }
        let many = find(&[at("many")]).unwrap();
        assert_eq!(keys(&many), ["a", "b", "c", "d", "e"]);
        assert_eq!(many.ignored, ["notes.txt"]);
        for (handed, entries) in many.handed.iter().zip([1, 1, 1, 1]) {
            assert_eq!(handed.read().unwrap().entries.len(), entries, "{}", handed.key);
        }
        assert!(many.handed[4].read().unwrap_err().cause.contains("a link"));
        assert!(find(&[at("none")]).is_err());
    }

    #[test]
    fn one_submission_is_one_whatever_it_looks_like() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("handed"), &["a.rs", "b/main.rs", "notes.txt"]);
        fs::create_dir(at("empty")).unwrap();
        fs::write(at("a.zip"), zip(&["main.rs"])).unwrap();
        for (place, entries) in [("handed", 2), ("empty", 0), ("a.zip", 1), ("handed/a.rs", 1)] {
            let found = one(&at(place), "a/b").unwrap();
            assert_eq!(keys(&found), ["a%2Fb"]);
            assert_eq!(found.handed[0].read().unwrap().entries.len(), entries, "{place}");
        }
        assert!(one(&at("none"), "a").is_err());
    }

    #[test]
    fn an_export_that_is_one_archive_has_many() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("export.zip");
        fs::write(&file, zip(&["submission_1/main.rs", "submission_2/main.rs", "metadata.yml"]))
            .unwrap();
        let found = find(std::slice::from_ref(&file)).unwrap();
        assert_eq!(keys(&found), ["submission_1", "submission_2"]);
        assert!(found.handed[0].read().unwrap().time.is_some());
        fs::write(&file, zip(&["course-main/exercises/ch02-unshare/src/main.rs"])).unwrap();
        assert_eq!(keys(&find(std::slice::from_ref(&file)).unwrap()), ["export"]);
        fs::write(&file, b"PK\x03\x04 damaged").unwrap();
        let found = find(&[file]).unwrap();
        assert!(found.handed[0].read().unwrap_err().cause.contains("damaged"));
    }

    #[test]
    fn an_archive_in_a_folder_is_the_submission() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a"), &["README.md"]);
        fs::write(folder.path().join("a/work.zip"), zip(&["ch02-unshare/src/main.rs"])).unwrap();
        let found = find(&[folder.path().to_owned()]).unwrap();
        let files = found.handed[0].read().unwrap();
        assert!(files.entries.contains_key(&b"ch02-unshare/src/main.rs"[..]));
    }

    #[test]
    fn of_two_with_one_key_none_is_graded() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["alice/main.rs", "alice.rs", "bob.rs"]);
        let found = find(&[folder.path().to_owned()]).unwrap();
        assert_eq!(keys(&found), ["alice", "bob"]);
        let trouble = found.handed[0].read().unwrap_err();
        assert_eq!(trouble.cause, "several submissions have this key: alice, alice.rs");
    }
}
