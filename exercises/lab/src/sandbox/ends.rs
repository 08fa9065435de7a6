//! The check's side of a sandbox: its ends of sockets and pipes, and the processes that it holds.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use crate::env::patience;
use crate::look::{Mount, Namespaces, Process};
use crate::sys;

/// What the check holds from the request on.
pub(crate) struct Ends {
    /// Messages from the sandbox.
    pub(crate) report: OwnedFd,
    /// Where the witness is, and whether the program is told.
    pub(crate) witness: String,
    pub(crate) has_witness: bool,
    /// Nothing is written to it: PID 1 notices when it is closed.
    pub(crate) _liveness: OwnedFd,
    /// The program's output and errors, unless they go elsewhere. Reading does not block.
    pub(crate) streams: Vec<OwnedFd>,
    /// Where the recorder writes when every process that it traces has ended.
    pub(crate) trace: Option<OwnedFd>,
    pub(crate) cgroups: Option<OwnCgroups>,
    /// How long each awaited event may take; `None` for any time.
    pub(crate) patience: Option<Duration>,
}

/// The cgroups of a lab. Dropping this waits until the janitor has removed them.
pub(crate) struct OwnCgroups {
    /// The lab's uppermost one.
    pub(crate) root: PathBuf,
    /// Ends when they are gone.
    pub(crate) gone: OwnedFd,
}

impl Drop for OwnCgroups {
    fn drop(&mut self) {
        _ = sys::await_readable(&self.gone, patience());
    }
}

/// PID 1 of the sandbox. Dropping this kills it, and every process in its PID namespace with it,
/// and waits until the last one has died.
pub(crate) struct Init(pub(crate) Process);

impl Drop for Init {
    fn drop(&mut self) {
        self.0.kill();
        self.0.await_end(patience());
    }
}

/// What the program found when it started.
pub(crate) struct Ready {
    pub(crate) program: Process,
    /// The master side of its terminal.
    pub(crate) terminal: Option<OwnedFd>,
    pub(crate) lab: Namespaces,
    pub(crate) mounts: Vec<Mount>,
}
