//! What a process outside the lab finds by looking at one inside, and by entering its namespaces.

#[path = "../common/runs.rs"]
mod runs;

mod look;
mod mounts;
mod network;

use runs::{await_that, shell};
