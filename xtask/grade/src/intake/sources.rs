//! The sources of one chapter among the files of a submission.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use super::files::{Entry, Files, SOURCE, shown, trouble};
use crate::digest::Digest;
use crate::result::Trouble;
use crate::time::utc;

/// Files of one program, and bytes of all of them.
const FILES: usize = 100;
const BYTES: usize = 4 << 20;

/// A program's sources.
#[derive(Debug, PartialEq, Eq)]
pub struct Sources {
    /// By their paths below `src`.
    pub texts: BTreeMap<String, String>,
    /// Of all of them.
    pub digest: String,
    /// The newest time among them, in UTC; empty if it is unknown.
    pub time: String,
}

/// Takes the sources of a chapter. `only` says that no other chapter is graded, so that a `main.rs` without
/// a folder is this chapter's.
///
/// # Errors
///
/// They are not there, or are no sources.
pub fn sources(files: &Files, chapter: &str, only: bool) -> Result<Sources, Trouble> {
    let mut texts = BTreeMap::new();
    let mut time = files.time;
    let mut bytes = 0;
    for (path, entry) in below_src(files, chapter, only)? {
        let name = String::from_utf8(path.to_vec()).map_err(|_| {
            trouble(
                format!("a file's name is no UTF-8: `{}`", shown(path)),
                "name sources with letters, digits and `_`",
            )
        })?;
        let (text, from) = text_of(&name, entry)?;
        bytes += text.len();
        time = time.max(from);
        if texts.len() == FILES || bytes > BYTES {
            return Err(trouble(
                format!("the program has more than {FILES} files or {} MiB", BYTES >> 20),
                "hand in what the chapter asks for",
            ));
        }
        texts.insert(name, text);
    }
    if !texts.contains_key("main.rs") {
        return Err(trouble(
            format!("there is no `exercises/{chapter}/src/main.rs`"),
            "hand in the folder `exercises` as the course has it",
        ));
    }
    let mut lower: Vec<String> = texts.keys().map(|name| name.to_lowercase()).collect();
    lower.sort();
    if let Some([one, ..]) = lower.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(trouble(
            format!("two files differ in upper and lower case only: `{one}`"),
            "rename one of them",
        ));
    }
    let mut digest = Digest::default();
    for (name, text) in &texts {
        digest.add(name);
        digest.add(text);
    }
    Ok(Sources { texts, digest: digest.text(), time: time.map(utc).unwrap_or_default() })
}

/// What lies below `src` of a chapter, with its path there: sources, and what is irregular.
fn below_src<'a>(
    files: &'a Files,
    chapter: &str,
    only: bool,
) -> Result<Vec<(&'a [u8], &'a Entry)>, Trouble> {
    let paths = || files.entries.keys().map(Vec::as_slice);
    // The folder's link would hide what is behind it.
    let folders =
        [format!("exercises/{chapter}/src"), format!("exercises/{chapter}"), "exercises".into()];
    for (path, entry) in &files.entries {
        let is_linked = |folder: &String| is_below(path, folder.as_bytes());
        if let (Entry::Irregular(what), true) = (entry, folders.iter().any(is_linked)) {
            return Err(trouble(
                format!("`{}` is {what}", shown(path)),
                "hand in a copy of the folder",
            ));
        }
    }
    let with_exercises = [&b"exercises/"[..], chapter.as_bytes(), b"/src/"].concat();
    let alone = [chapter.as_bytes(), b"/src/"].concat();
    let mut base = folder_of(paths(), &with_exercises)?;
    if base.is_none() {
        // The solutions of a checkout have the same names.
        base = folder_of(paths().filter(|path| !path.starts_with(b"solutions/")), &alone)?;
    }
    if base.is_none() && only {
        base = bare(files, chapter)?;
    }
    let base = match base {
        None => return Err(missing(files, chapter)),
        Some(Base::File(path)) => return Ok(vec![(b"main.rs", &files.entries[path])]),
        Some(Base::Folder(base)) => base,
    };
    let below = files.entries.iter().filter_map(|(path, entry)| {
        let below = path.strip_prefix(base.as_slice())?;
        let is_source = below.ends_with(b".rs") || matches!(entry, Entry::Irregular(_));
        is_source.then_some((below, entry))
    });
    Ok(below.collect())
}

/// Where a program's sources are.
enum Base<'a> {
    /// A path that ends in `/`, or is empty.
    Folder(Vec<u8>),
    /// The only file.
    File(&'a [u8]),
}

/// The folder that ends in `ending`, at the top or below other folders.
fn folder_of<'a, 'b>(
    paths: impl Iterator<Item = &'b [u8]>,
    ending: &[u8],
) -> Result<Option<Base<'a>>, Trouble> {
    let mut bases: Vec<Vec<u8>> = Vec::new();
    for path in paths {
        let starts = (0..path.len()).find(|start| {
            path[*start..].starts_with(ending) && (*start == 0 || path[start - 1] == b'/')
        });
        let Some(start) = starts else { continue };
        let base = path[..start + ending.len()].to_vec();
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    match bases.as_slice() {
        [] => Ok(None),
        [_] => Ok(bases.pop().map(Base::Folder)),
        [one, other, ..] => Err(trouble(
            format!("the exercise is there twice: `{}` and `{}`", shown(one), shown(other)),
            "hand in one of them",
        )),
    }
}

/// A program without the folders of a course: `src/main.rs`, `main.rs`, or the only source.
fn bare<'a>(files: &'a Files, chapter: &str) -> Result<Option<Base<'a>>, Trouble> {
    let other_chapter = |path: &&Vec<u8>| {
        path.split(|byte| *byte == b'/').any(|component| {
            let name = std::str::from_utf8(component).unwrap_or_default();
            is_chapter_name(name) && name != chapter
        })
    };
    let own = || files.entries.keys().filter(|path| path.ends_with(b".rs") && !other_chapter(path));
    let mains: Vec<&Vec<u8>> =
        own().filter(|path| *path == b"main.rs" || path.ends_with(b"/main.rs")).collect();
    if let [main] = mains.as_slice() {
        return Ok(Some(Base::Folder(main[..main.len() - b"main.rs".len()].to_vec())));
    }
    if let [one, other, ..] = mains.as_slice() {
        return Err(trouble(
            format!("there are several programs: `{}` and `{}`", shown(one), shown(other)),
            "hand in one of them",
        ));
    }
    let mut sources = own();
    match (sources.next(), sources.next()) {
        (Some(only), None) => Ok(Some(Base::File(only))),
        _ => Ok(None),
    }
}

/// Why a chapter's sources are not there.
fn missing(files: &Files, chapter: &str) -> Trouble {
    let number = &chapter[..5];
    let names = files.entries.keys().flat_map(|path| path.split(|byte| *byte == b'/'));
    let names = names.filter_map(|name| std::str::from_utf8(name).ok());
    let other = names
        .filter(|name| is_chapter_name(name) && name.starts_with(number))
        .find(|name| *name != chapter);
    match other {
        Some(other) => trouble(
            format!("it has `{other}`, and this edition of the course has `{chapter}`"),
            "work in a checkout of the course's edition",
        ),
        None => trouble(
            format!("there is no `exercises/{chapter}/src/main.rs`"),
            "hand in the folder `exercises` as the course has it",
        ),
    }
}

/// Whether `path` is `folder`, or ends in it.
fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path == folder || path.ends_with(&[b"/", folder].concat())
}

/// A source's text, and when it is from.
fn text_of(name: &str, entry: &Entry) -> Result<(String, Option<SystemTime>), Trouble> {
    let too_long = || {
        trouble(
            format!("`{name}` has more than {} MiB", SOURCE >> 20),
            "a program of the course has a hundredth of that",
        )
    };
    let (bytes, from) = match entry {
        Entry::Bytes(bytes) => (bytes.clone(), None),
        Entry::TooLong => return Err(too_long()),
        Entry::Irregular(what) => {
            return Err(trouble(format!("`{name}` is {what}"), "hand in a regular file"));
        }
        Entry::OnDisk(_, size, _) if *size > SOURCE => return Err(too_long()),
        Entry::OnDisk(path, _, time) => (read(name, path)?, *time),
    };
    if bytes.len() as u64 > SOURCE {
        return Err(too_long());
    }
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| trouble(format!("`{name}` is no UTF-8"), "save it as UTF-8"))?;
    Ok((text, from))
}

fn read(name: &str, path: &Path) -> Result<Vec<u8>, Trouble> {
    // It may have become a link or a fifo since it was found.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut bytes = Vec::new();
    let read = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .and_then(|file| file.take(SOURCE + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        trouble(format!("`{name}` cannot be read: {error}"), "copy it with permissions to read it")
    })?;
    Ok(bytes)
}

/// Whether a folder is called as the chapters are: `ch02-unshare`.
pub(crate) fn is_chapter_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() > 5
        && bytes.starts_with(b"ch")
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
}

/// A name without the ending of an archive, a repository or a program.
pub(crate) fn stem(name: &[u8]) -> &[u8] {
    const ENDINGS: [&[u8]; 10] = [
        b".tar.gz",
        b".tar.xz",
        b".tar.zst",
        b".tgz",
        b".tar",
        b".zip",
        b".7z",
        b".rar",
        b".git",
        b".rs",
    ];
    let ending = ENDINGS.iter().find(|ending| name.ends_with(ending) && name.len() > ending.len());
    ending.map_or(name, |ending| &name[..name.len() - ending.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = "ch02-unshare";

    fn files(paths: &[&str]) -> Files {
        let entry =
            |path: &&str| (path.as_bytes().to_vec(), Entry::Bytes(b"fn main() {}".to_vec()));
        let mut files = Files::default();
        files.entries = paths.iter().map(entry).collect();
        files
    }

    fn names(paths: &[&str], only: bool) -> Result<Vec<String>, String> {
        let sources = sources(&files(paths), CHAPTER, only).map_err(|trouble| trouble.cause)?;
        Ok(sources.texts.into_keys().collect())
    }

    #[test]
    fn only_what_lies_in_src_is_taken() {
        let checkout = [
            "exercises/ch02-unshare/src/main.rs",
            "exercises/ch02-unshare/src/net/mod.rs",
            "exercises/ch02-unshare/build.rs",
            "exercises/ch02-unshare/tests/check.rs",
            "exercises/ch03-clone/src/main.rs",
            "solutions/ch02-unshare/src/main.rs",
        ];
        let wanted = ["main.rs", "net/mod.rs"].map(str::to_owned).to_vec();
        assert_eq!(names(&checkout, false), Ok(wanted.clone()));
        let deeper = checkout.map(|path| format!("course-main/{path}"));
        let deeper = deeper.each_ref().map(String::as_str);
        assert_eq!(names(&deeper, false), Ok(wanted));
        let main = || Ok(vec!["main.rs".to_owned()]);
        assert_eq!(names(&["ch02-unshare/src/main.rs"], false), main());
        for bare in ["main.rs", "src/main.rs", "a/src/main.rs", "alice.rs"] {
            assert_eq!(names(&[bare], true), main(), "{bare}");
            assert!(names(&[bare], false).is_err(), "{bare}");
        }
    }

    #[test]
    fn what_is_not_there_has_one_clear_reason() {
        for (paths, only, wanted) in [
            (&[][..], true, "there is no `exercises/ch02-unshare/src/main.rs`"),
            (
                &["solutions/ch02-unshare/src/main.rs"],
                false,
                "there is no `exercises/ch02-unshare/src/main.rs`",
            ),
            (
                &["exercises/ch02-unshare/src/lib.rs"],
                true,
                "there is no `exercises/ch02-unshare/src/main.rs`",
            ),
            (
                &["exercises/ch02-leave/src/main.rs"],
                false,
                "it has `ch02-leave`, and this edition of the course has `ch02-unshare`",
            ),
            (
                &["a/exercises/ch02-unshare/src/main.rs", "b/exercises/ch02-unshare/src/main.rs"],
                false,
                "the exercise is there twice: `a/exercises/ch02-unshare/src/` and `b/exercises/ch02-unshare/src/`",
            ),
            (
                &["a/main.rs", "b/main.rs"],
                true,
                "there are several programs: `a/main.rs` and `b/main.rs`",
            ),
            (
                &["main.rs", "net.rs", "Net.rs"],
                true,
                "two files differ in upper and lower case only: `net.rs`",
            ),
        ] {
            assert_eq!(names(paths, only).unwrap_err(), wanted, "{paths:?}");
        }
    }

    #[test]
    fn what_is_no_source_has_one_clear_reason() {
        for (path, entry, wanted) in [
            ("main.rs", Entry::Bytes(vec![0xff]), "`main.rs` is no UTF-8"),
            ("main.rs", Entry::TooLong, "`main.rs` has more than 1 MiB"),
            ("main.rs", Entry::Irregular("a folder"), "`main.rs` is a folder"),
            ("x.rs", Entry::OnDisk("/none".into(), 5, None), "cannot be read"),
            ("src", Entry::Irregular("a link"), "`exercises/ch02-unshare/src` is a link"),
        ] {
            let folder = if path == "src" {
                "exercises/ch02-unshare/"
            } else {
                "exercises/ch02-unshare/src/"
            };
            let mut files = files(&["exercises/ch02-unshare/src/a.rs"]);
            files.entries.insert(format!("{folder}{path}").into_bytes(), entry);
            let cause = sources(&files, CHAPTER, false).unwrap_err().cause;
            assert!(cause.contains(wanted), "{cause}");
        }
        let mut many = files(&["main.rs"]);
        for number in 0..FILES {
            many.entries.insert(format!("m{number}.rs").into_bytes(), Entry::Bytes(Vec::new()));
        }
        assert!(sources(&many, CHAPTER, true).unwrap_err().cause.contains("more than 100 files"));
    }

    #[test]
    fn a_digest_is_of_names_and_texts() {
        let digest = |paths| sources(&files(paths), CHAPTER, true).unwrap().digest;
        assert_eq!(digest(&["main.rs"]), digest(&["src/main.rs"]));
        assert_ne!(digest(&["main.rs"]), digest(&["main.rs", "net.rs"]));
    }
}
