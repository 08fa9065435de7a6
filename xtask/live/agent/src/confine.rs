//! The part of the machine that labs may use up: whatever happens in them, the agent goes on.
//!
//! ```text
//! /sys/fs/cgroup
//!  ├ agent          the agent
//!  └ labs           limits of memory and of processes, for all labs together
//!     ├ start       the agent while it starts a lab, and the lab's first processes
//!     └ …           the cgroups that a lab has for itself
//! ```

use std::fs;
use std::io;
use std::path::Path;

use lab::sandbox::{Refusal, Run, Sandbox};

const AGENT: &str = "/sys/fs/cgroup/agent";
const LABS: &str = "/sys/fs/cgroup/labs";
const START: &str = "/sys/fs/cgroup/labs/start";

/// What is left for labs of the memory of the machine, which has 64 MB.
const MEMORY: &str = "20M";
const PROCESSES: &str = "200";

/// Makes the cgroups, and moves this process to its own.
pub(crate) fn prepare() -> io::Result<()> {
    for folder in [AGENT, LABS, START] {
        fs::create_dir(folder)?;
    }
    enter(AGENT)?;
    for folder in ["/sys/fs/cgroup", LABS] {
        // Before a cgroup has children with limits, it must have no processes of its own (cgroups(7)).
        fs::write(format!("{folder}/cgroup.subtree_control"), "+pids +memory +cpu")?;
    }
    fs::write(format!("{LABS}/memory.max"), MEMORY)?;
    fs::write(format!("{LABS}/pids.max"), PROCESSES)?;
    // The last to be killed.
    fs::write("/proc/self/oom_score_adj", "-1000")
}

/// Starts a lab below [`LABS`]. Without these cgroups, as in a test, it is started where this process is.
pub(crate) fn start(sandbox: Sandbox) -> Result<Run, String> {
    let is_confined = Path::new(START).is_dir();
    if is_confined {
        into(START, "0").map_err(|error| format!("could not enter the labs' cgroup: {error}"))?;
    }
    let run = sandbox.start().map_err(|error: Refusal| format!("could not make a lab: {error}"));
    if is_confined {
        into(AGENT, "-1000")
            .map_err(|error| format!("could not leave the labs' cgroup: {error}"))?;
    }
    run
}

/// What this process starts from now on is in that cgroup, and is killed that readily.
fn into(folder: &str, oom: &str) -> io::Result<()> {
    enter(folder)?;
    fs::write("/proc/self/oom_score_adj", oom)
}

fn enter(folder: &str) -> io::Result<()> {
    fs::write(format!("{folder}/cgroup.procs"), "0")
}
