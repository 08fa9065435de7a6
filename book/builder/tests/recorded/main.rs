//! What a page shows of a run is what a run gives.

mod figures;
mod sessions;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
