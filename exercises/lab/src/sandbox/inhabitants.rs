//! The processes in a sandbox, found from outside.

use std::collections::HashMap;

use crate::look::Process;

/// Finds the processes of a run, also in another thread than the one that waits for its end.
pub struct Inhabitants {
    pub(crate) init: Process,
    pub(crate) neighbors: HashMap<String, i32>,
}

impl Inhabitants {
    /// As [`super::Run::processes`].
    pub fn processes(&self) -> Vec<Process> {
        processes_below(&self.init, &self.neighbors)
    }
}

/// All processes below a sandbox's PID 1 except its neighbors and zombies. PID 1 adopts orphans.
pub(crate) fn processes_below(init: &Process, neighbors: &HashMap<String, i32>) -> Vec<Process> {
    let mut found = init.children();
    found.retain(|child| {
        let own = child.own_pid_below(init);
        !neighbors.values().any(|neighbor| Some(*neighbor) == own)
    });
    let mut looked = 0;
    while let Some(process) = found.get(looked) {
        found.extend(process.children());
        looked += 1;
    }
    found.retain(|process| !process.has_ended());
    found
}
