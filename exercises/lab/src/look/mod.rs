//! Looking at processes from outside.
//!
//! Nothing here asks the process. It reads what the kernel says about it, through descriptors that
//! stay valid while they are compared.

pub mod cgroup;
pub mod mounts;
pub(crate) mod namespaces;
pub(crate) mod network;
pub(crate) mod process;
mod procfs;
pub(crate) mod stat;

pub use cgroup::Cgroup;
pub use mounts::{Mount, Propagation};
pub use namespaces::{Namespace, Namespaces, pidfds_tell};
pub use network::{Link, Route};
pub use process::Process;
pub use procfs::Proc;
pub use trace::Kind;
