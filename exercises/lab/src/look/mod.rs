//! Looking at processes from outside.
//!
//! Nothing here asks the process. It reads what the kernel says about it, through descriptors that
//! stay valid while they are compared.

pub(crate) mod stat;
pub mod mounts;
pub(crate) mod process;
pub(crate) mod namespaces;
mod procfs;
pub mod cgroup;
pub(crate) mod network;

pub use cgroup::Cgroup;
pub use mounts::{Mount, Propagation};
pub use namespaces::{Namespace, Namespaces, pidfds_tell};
pub use network::{Link, Route};
pub use process::{Process, field, ranges_in};
pub use procfs::Proc;
pub use trace::Kind;
