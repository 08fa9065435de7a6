//! Whether programs outside of a package are formatted: `cargo fmt` does not find them.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::shared::failure::{Failure, Result};

/// The workspace's edition, which rustfmt learns from cargo for a package, but not for a single file.
const EDITION: &str = "2024";

/// What rustfmt said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The files that rustfmt would change, or cannot read.
    Faults(Vec<String>),
    /// This toolchain has no rustfmt.
    NoRustfmt,
}

/// Asks rustfmt, with the `rustfmt.toml` that lies above the files.
pub(crate) fn look(files: &[PathBuf], root: &Path) -> Result<Format> {
    if files.is_empty() {
        // Without a file rustfmt would read standard input.
        return Ok(Format::Faults(Vec::new()));
    }
    let found = Command::new("rustfmt").arg("--version").output();
    if !found.is_ok_and(|found| found.status.success()) {
        return Ok(Format::NoRustfmt);
    }
    let output = Command::new("rustfmt")
        .args(["--edition", EDITION, "--check", "--files-with-diff"])
        .args(files)
        .output()
        .map_err(|error| Failure::new(format!("could not start rustfmt: {error}")))?;
    let changed = String::from_utf8_lossy(&output.stdout);
    let mut faults: Vec<String> = changed
        .lines()
        .map(|file| {
            let file = Path::new(file);
            let shown = file.strip_prefix(root).unwrap_or(file).display();
            format!("`{shown}` is not formatted: rustfmt --edition {EDITION} {shown}")
        })
        .collect();
    if faults.is_empty() && !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        faults.push(format!("rustfmt said:\n{}", said.trim_end()));
    }
    Ok(Format::Faults(faults))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What rustfmt says about this text. Without a rustfmt it prints the reason and returns `None`.
    fn faults(name: &str, text: &str) -> Option<Vec<String>> {
        let folder = std::env::temp_dir().join(format!("format-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("program.rs");
        fs::write(&file, text).unwrap();
        let format = look(&[file], &folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        match format {
            Format::Faults(faults) => Some(faults),
            Format::NoRustfmt => {
                println!("skipped: there is no rustfmt (`rustup component add rustfmt`)");
                None
            }
        }
    }

    #[test]
    fn what_rustfmt_would_change_is_a_fault() {
        let Some(clean) = faults("clean", "fn main() {}\n") else { return };
        assert_eq!(clean, [""; 0]);
        let unformatted = faults("crooked", "fn  main( ) {}\n").unwrap();
        assert!(unformatted[0].contains("`program.rs` is not formatted"), "{unformatted:?}");
        let unreadable = faults("broken", "fn main( {\n").unwrap();
        assert!(unreadable[0].contains("rustfmt said"), "{unreadable:?}");
    }

    #[test]
    fn no_file_is_no_fault() {
        assert_eq!(look(&[], Path::new("/")).unwrap(), Format::Faults(Vec::new()));
    }
}
