//! What a page shows of a run is what a run gives.

#[macro_use]
#[path = "../../../../exercises/lab/tests/common/skip.rs"]
mod skip;

mod figures;
mod sessions;

use std::path::{Path, PathBuf};

use book::needs::Need;
use skip::Exception;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a machine for tests may lack.
fn exception(need: &Need) -> Option<Exception> {
    match need {
        Need::ManyIds => Some(Exception::NotRoot),
        Need::Cgroups | Need::CgroupLimits => Some(Exception::Cgroups),
        Need::Linux(_) => Some(Exception::Kernel),
        _ => None,
    }
}
