//! What a page shows of a run is what a run gives.

#[macro_use]
#[path = "../../../../exercises/lab/tests/common/skip.rs"]
mod skip;

mod figures;
mod sessions;

use std::iter;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use book::needs::Need;
use skip::Exception;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a check on all of these, several at a time, and returns what it finds, in any order. Most of
/// the time of a run is `sleep`.
fn side_by_side<T: Sync, F: IntoIterator<Item = String>>(
    all: &[T],
    check: impl Fn(&T) -> F + Sync,
) -> Vec<String> {
    const WORKERS: usize = 16;
    let left = Mutex::new(all.iter());
    let next = || left.lock().unwrap().next();
    let work = || iter::from_fn(next).flat_map(&check).collect::<Vec<_>>();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
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
