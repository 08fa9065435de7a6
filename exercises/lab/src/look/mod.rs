//! Looking at processes from outside.
//!
//! Nothing here asks the process, and nothing changes it. What is read is what the kernel says about
//! it, through descriptors that stay valid while they are compared.

pub(crate) mod procfs;
pub(crate) mod stat;
pub mod kernel;
pub mod mounts;
pub(crate) mod process;
pub(crate) mod namespaces;
mod proc_mount;
mod ways;
pub mod cgroup;
pub(crate) mod network;

pub use cgroup::Cgroup;
pub use mounts::{Mount, Propagation};
pub use namespaces::{Namespace, Namespaces, pidfds_tell};
pub use network::{Link, Route};
pub use proc_mount::Proc;
pub use process::Process;
pub use procfs::{Fields, ranges_in};
pub use trace::Kind;
pub use ways::Way;
pub(crate) use ways::mount_of;
