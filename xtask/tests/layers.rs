//! Which modules may import which: what the commands share knows none of them, and a reader's command
//! does not depend on an author's.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src`, and what its files must not import.
const FORBIDDEN: [(&str, &[&str]); 2] =
    [("shared", &["crate::reader", "crate::author"]), ("reader", &["crate::author"])];

#[test]
fn imports_run_towards_what_is_shared() {
    for (folder, forbidden) in FORBIDDEN {
        let files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder));
        assert!(files.len() > 5, "{folder} has files");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for path in forbidden {
                assert!(!text.contains(path), "{} imports {path}", file.display());
            }
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
