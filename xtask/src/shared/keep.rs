//! Replacing a reader's file without losing it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shared::failure::{Failure, Result};

/// Writes `text` to `file`. The old file is kept beside it as `FILE.1.bak`, or with the next number that
/// is free; returns its path.
pub(crate) fn replace(file: &Path, text: &str) -> Result<Option<PathBuf>> {
    let failure =
        |what: &str, error: std::io::Error| Failure::new(format!("could not {what}: {error}"));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let new = file.with_file_name(format!("{name}.new"));
    // The old file stays until the new one is complete.
    fs::write(&new, text).map_err(|error| failure(&format!("write `{}`", new.display()), error))?;
    let kept = keep(file).map_err(|error| failure(&format!("keep `{}`", file.display()), error));
    let kept = kept.inspect_err(|_| _ = fs::remove_file(&new))?;
    fs::rename(&new, file)
        .map_err(|error| failure(&format!("replace `{}`", file.display()), error))?;
    Ok(kept)
}

/// Gives the file a second name. link(2) fails if a file has that name, whenever it was created.
fn keep(file: &Path) -> std::io::Result<Option<PathBuf>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    for number in 1.. {
        let backup = file.with_file_name(format!("{name}.{number}.bak"));
        match fs::hard_link(file, &backup) {
            Ok(()) => return Ok(Some(backup)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !file.exists() => {
                return Ok(None);
            }
            // The filesystem has no hard links: copy, but never over another file.
            Err(_) if !backup.exists() => {
                fs::copy(file, &backup)?;
                return Ok(Some(backup));
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
        assert_eq!(replace(&file, "two").unwrap(), Some(folder.join("main.rs.1.bak")));
        assert_eq!(replace(&file, "three").unwrap(), Some(folder.join("main.rs.2.bak")));
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            [read("main.rs.1.bak"), read("main.rs.2.bak"), read("main.rs")],
            ["one", "two", "three"]
        );
        assert!(!folder.join("main.rs.new").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
