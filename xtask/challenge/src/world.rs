//! What was seen of a lab at one moment.

use std::collections::BTreeMap;

/// Facts and their values: `host name` and `otter`. A fact that could not be read is not there.
pub type Facts = BTreeMap<String, String>;

/// The lab and the processes in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub lab: Facts,
    /// The reader's shell.
    pub shell: Facts,
    /// The other processes.
    pub processes: Vec<Facts>,
}
