//! Replacing a reader's file without losing it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shared::chapter::shown;
use crate::shared::failure::{Failure, Result};

/// Writes `text` to `file`. The old file is kept beside it as `FILE.1.bak`, or with the next number that
/// is free; returns the number. `None` if there was no old file.
pub fn replace(file: &Path, text: &str) -> Result<Option<u32>> {
    write_after(file, text, || keep(file).map_err(|error| failure("keep", file, &error)))
}

/// The path of a backup.
pub fn backup(file: &Path, number: u32) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{name}.{number}.bak"))
}

/// Writes `text` to `file`, and keeps no old one. If it cannot be written, the old file stays.
pub fn write(file: &Path, text: &str) -> Result<()> {
    write_after(file, text, || Ok(()))
}

/// The old file stays until the new one is complete and `before` has succeeded.
fn write_after<T>(file: &Path, text: &str, before: impl FnOnce() -> Result<T>) -> Result<T> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let new = file.with_file_name(format!("{name}.new"));
    let written = fs::write(&new, text).map_err(|error| failure("write", file, &error));
    let done = written.and_then(|()| before()).and_then(|value| {
        fs::rename(&new, file).map_err(|error| failure("replace", file, &error))?;
        Ok(value)
    });
    done.inspect_err(|_| _ = fs::remove_file(&new))
}

fn failure(what: &str, file: &Path, error: &std::io::Error) -> Failure {
    Failure::file(format!("could not {what} `{}`", shown(file)), error)
}

/// Gives the file a second name. link(2) fails if a file has that name, whenever it was created.
fn keep(file: &Path) -> std::io::Result<Option<u32>> {
    for number in 1.. {
        let backup = backup(file, number);
        match fs::hard_link(file, &backup) {
            Ok(()) => return Ok(Some(number)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !file.exists() => {
                return Ok(None);
            }
            // The filesystem has no hard links: copy, but never over another file.
            Err(_) if !backup.exists() => {
                fs::copy(file, &backup)?;
                return Ok(Some(number));
            }
            Err(_) => {}
        }
    }
    unreachable!("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_ever_lost() {
        let folder = std::env::temp_dir().join(format!("keep-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("main.rs");
        assert_eq!(replace(&file, "one").unwrap(), None);
        assert_eq!(replace(&file, "two").unwrap(), Some(1));
        assert_eq!(replace(&file, "three").unwrap(), Some(2));
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            [read("main.rs.1.bak"), read("main.rs.2.bak"), read("main.rs")],
            ["one", "two", "three"]
        );
        assert!(!folder.join("main.rs.new").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
