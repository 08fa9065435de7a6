//! Where results are kept: a folder with these things in it.
//!
//! ```text
//! results/KEY/CHAPTER.json   what other programs read; the teacher's
//! log/KEY/CHAPTER.md         the same for the teacher to read
//! feedback/KEY/CHAPTER.md    for the student; nothing else may be handed out
//! changes.txt                which grades have changed, and why
//! .secret                    what the inputs of programs are drawn from
//! ```
//!
//! A file is written under another name and renamed, and the result comes last: if it is there, the other
//! two are. So a run that is killed at any moment leaves whole results, and goes on with the others.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use xtask::shared::failure::{Failure, Result};

use crate::result::Graded;
use crate::texts::{self, Level};

/// The file with the secret.
const SECRET: &str = ".secret";

/// A folder of results, which one run at a time writes to.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    level: Level,
    _lock: Flock<File>,
}

impl Store {
    /// Makes the folder, or continues one.
    ///
    /// # Errors
    ///
    /// It cannot be written to, another run does so at the moment, or it is something else.
    pub fn open(folder: &Path, level: Level) -> Result<Store> {
        let not_made =
            |error| Failure::file(format!("could not write to `{}`", folder.display()), &error);
        // The sandbox shows what is in it, and has another working directory.
        let folder = &std::path::absolute(folder).map_err(not_made)?;
        let is_used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !folder.join(".lock").exists() {
            return Err(Failure::usage(format!("`{}` has no results in it", folder.display()))
                .help("name a new folder, or one that an earlier run has made"));
        }
        fs::create_dir_all(folder).map_err(not_made)?;
        let lock = File::options().create(true).append(true).open(folder.join(".lock"));
        let lock = Flock::lock(lock.map_err(not_made)?, FlockArg::LockExclusiveNonblock);
        let lock = lock.map_err(|(_, errno)| match errno {
            Errno::EWOULDBLOCK => {
                Failure::new(format!("another run writes to `{}`", folder.display()))
                    .help("wait for its end, or give each shard a folder of its own")
            }
            other => not_made(other.into()),
        })?;
        let store = Store { folder: folder.to_owned(), level, _lock: lock };
        // What a run that was killed has left.
        store.remove_work().map_err(not_made)?;
        fs::create_dir_all(store.work()).map_err(not_made)?;
        // A shard without a submission has results, too: none.
        fs::create_dir_all(store.folder.join("results")).map_err(not_made)?;
        Ok(store)
    }

    /// What inputs are drawn from: random bytes that are made once, and are with the results, so that grading
    /// again draws the same.
    ///
    /// # Errors
    ///
    /// They cannot be read or written.
    pub fn secret(&self) -> Result<Vec<u8>> {
        let file = self.folder.join(SECRET);
        let secret = || match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut secret = vec![0; 32];
                File::open("/dev/urandom")?.read_exact(&mut secret)?;
                write_whole(&file, &secret)?;
                Ok(secret)
            }
            other => other,
        };
        secret().map_err(|error| {
            Failure::file(format!("could not keep a secret in `{}`", file.display()), &error)
        })
    }

    /// A folder for programs while they are graded.
    pub fn work(&self) -> PathBuf {
        self.folder.join(".work")
    }

    fn remove_work(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.work()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The result of a program, if there is a whole one.
    pub fn result(&self, key: &str, chapter: &str) -> Option<Graded> {
        read_result(&result_file(&self.folder, key, chapter)).ok()
    }

    /// Keeps a result, and the two texts that are made of it.
    ///
    /// # Errors
    ///
    /// They cannot be written. Then the earlier result is still there, if there was one.
    pub fn keep(&self, graded: &Graded) -> Result<()> {
        let Graded { key, chapter, .. } = graded;
        let text = |tree: &str| self.folder.join(tree).join(key).join(chapter).with_extension("md");
        let write = || {
            write_whole(&text("log"), texts::log(graded))?;
            write_whole(&text("feedback"), texts::feedback(graded, self.level))?;
            write_whole(&result_file(&self.folder, key, chapter), graded.to_json())
        };
        write().map_err(|error| {
            Failure::file(format!("could not write the result of {key}, {chapter}"), &error)
        })
    }

    /// Adds a line to the list of changes.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn note_change(&self, line: &str) -> Result<()> {
        let file = self.folder.join("changes.txt");
        let mut options = File::options();
        let add = options.create(true).append(true).open(&file).and_then(|mut file| {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        });
        add.map_err(|error| Failure::file(format!("could not write `{}`", file.display()), &error))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        _ = self.remove_work();
    }
}

fn result_file(folder: &Path, key: &str, chapter: &str) -> PathBuf {
    folder.join("results").join(key).join(format!("{chapter}.json"))
}

/// # Errors
///
/// There is none, or it is no result.
pub fn read_result(file: &Path) -> std::result::Result<Graded, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    Graded::from_json(&text)
}

/// The result files below a folder of results, in order.
///
/// # Errors
///
/// It has none, or cannot be read.
pub fn results_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let results = folder.join("results");
    let list = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        let mut paths: Vec<_> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        paths.sort();
        Ok(paths)
    };
    let all = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for student in list(&results)? {
            files.extend(list(&student)?);
        }
        Ok(files)
    };
    let mut files = all().map_err(|error| {
        Failure::usage(format!("could not read `{}`: {error}", results.display()))
            .help("name the folder that was the `--out` of a run")
    })?;
    // What a run that was killed has not renamed yet is none.
    files.retain(|file| file.extension() == Some("json".as_ref()));
    Ok(files)
}

/// Writes a file so that it is there as a whole or not at all, also after a power cut.
///
/// # Errors
///
/// It cannot be written.
pub fn write_whole(file: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let temporary = file.with_extension("new");
    let mut options = File::options();
    // The secret is the teacher's alone.
    let mode = if file.ends_with(SECRET) { 0o600 } else { 0o666 };
    let mut new = options.write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
    new.write_all(bytes.as_ref())?;
    new.sync_all()?;
    fs::rename(&temporary, file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Level::Full).unwrap();
        fs::write(store.work().join("left"), "").unwrap();
        assert!(
            Store::open(folder.path(), Level::Full)
                .unwrap_err()
                .to_string()
                .contains("another run")
        );
        drop(store);
        assert!(!folder.path().join(".work").exists());
        Store::open(folder.path(), Level::Full).unwrap();
    }

    #[test]
    fn a_folder_of_other_things_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert!(Store::open(folder.path(), Level::Full).is_err());
    }
}
