//! A tool of this repository, and whether it is up to date.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Files of the checkout that decide how the tool is built, beside its sources and their manifests.
const SETTINGS: [&str; 5] =
    ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml"];

/// The clock by which the kernel dates a file may be that much behind.
const CLOCK_TICK: Duration = Duration::from_millis(10);

pub struct Tool<'a> {
    root: &'a Path,
    /// The executable.
    pub program: PathBuf,
    /// What cargo says it was made from, in the format of make.
    sources: PathBuf,
    /// The file of its `main`, which is one of them.
    main: PathBuf,
    /// A note about which executable was built for which checkout. Its time is that at which the
    /// build began, because a file that is saved later may not be part of it.
    note: PathBuf,
}

impl<'a> Tool<'a> {
    /// The tool that cargo puts among the `programs` of a target folder. Its `package` has this folder of the
    /// checkout at `root`.
    pub fn new(programs: &Path, root: &'a Path, package: &str, folder: &str) -> Tool<'a> {
        Tool {
            root,
            program: programs.join(package),
            sources: programs.join(format!("{package}.d")),
            main: root.join(folder).join("src/main.rs"),
            note: programs.join(format!("{package}.built")),
        }
    }

    /// Whether cargo would find nothing to do. In doubt it is asked.
    pub fn is_up_to_date(&self) -> bool {
        self.check().is_some()
    }

    fn check(&self) -> Option<()> {
        let built = fs::metadata(&self.note).ok()?.modified().ok()?;
        // Another checkout with the same target folder may have put its tool there since.
        if fs::read(&self.note).ok()? != self.identity().ok()? {
            return None;
        }
        let sources = prerequisites(&fs::read(&self.sources).ok()?, self.root);
        if !sources.contains(&self.main) {
            return None;
        }
        let older = |file: &Path| {
            let changed = fs::metadata(file).and_then(|found| found.modified());
            changed.is_ok_and(|changed| changed + CLOCK_TICK < built)
        };
        let settings = SETTINGS.iter().map(|name| self.root.join(name));
        let settings = settings.filter(|file| file.exists()).chain(manifests(&sources, self.root));
        (sources.iter().all(|file| older(file)) && settings.into_iter().all(|file| older(&file)))
            .then_some(())
    }

    /// Keeps in mind that the tool has been built, and when the build began.
    ///
    /// # Errors
    ///
    /// What the file system refuses. Without the note cargo is asked again the next time.
    pub fn note_built(&self, start: SystemTime) -> io::Result<()> {
        // Renamed when it is complete: two launchers may write it at the same time.
        let temporary = self.note.with_extension(format!("built.{}", std::process::id()));
        fs::write(&temporary, self.identity()?)?;
        File::options().append(true).open(&temporary)?.set_modified(start)?;
        fs::rename(&temporary, &self.note)
    }

    /// The checkout and the executable, as they differ from others.
    fn identity(&self) -> io::Result<Vec<u8>> {
        let found = fs::metadata(&self.program)?;
        let file = [found.dev(), found.ino(), found.len()];
        let time = [found.mtime(), found.mtime_nsec()];
        let mut identity = format!("{file:?} {time:?} ").into_bytes();
        identity.extend(self.root.as_os_str().as_bytes());
        Ok(identity)
    }
}

/// The files after the colon of a rule for make: with blanks between them, and a backslash before one
/// that belongs to a name. Cargo can be told to write them relative to the workspace.
fn prerequisites(rule: &[u8], root: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for line in rule.split(|byte| *byte == b'\n') {
        let colon = line.windows(2).position(|bytes| bytes == b": ");
        let Some(colon) = colon else { continue };
        let mut name = Vec::new();
        let mut bytes = line[colon + 2..].iter().chain([&b' ']).peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' if bytes.peek() == Some(&&b' ') => name.extend(bytes.next()),
                b' ' if name.is_empty() => {}
                b' ' => {
                    let file = Path::new(std::ffi::OsStr::from_bytes(&name));
                    files.insert(root.join(file));
                    name.clear();
                }
                byte => name.push(*byte),
            }
        }
    }
    files
}

/// The manifests of the packages that these sources belong to.
fn manifests(sources: &BTreeSet<PathBuf>, root: &Path) -> BTreeSet<PathBuf> {
    let folders: BTreeSet<&Path> = sources.iter().filter_map(|file| file.parent()).collect();
    let manifest = |folder: &&Path| {
        let above = folder.ancestors().take_while(|folder| folder.starts_with(root));
        above.map(|folder| folder.join("Cargo.toml")).find(|file| file.is_file())
    };
    folders.iter().filter_map(manifest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_for_make_is_read() {
        let rule = b"/t/debug/xtask: /a\\ b/src/main.rs src/lib.rs /c\\d/e.rs\n\n/t/other: /f\n";
        let files = prerequisites(rule, Path::new("/root"));
        let wanted = ["/a b/src/main.rs", "/c\\d/e.rs", "/f", "/root/src/lib.rs"];
        assert_eq!(files.into_iter().collect::<Vec<_>>(), wanted.map(PathBuf::from));
        assert!(prerequisites(b"", Path::new("/")).is_empty());
        assert!(prerequisites(b"/t/xtask:", Path::new("/")).is_empty());
    }
}
