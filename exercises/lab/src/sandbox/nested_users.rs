//! A neighbor's branch of the tree of user namespaces.
//!
//! Its inner nodes are empty: the one process that made them has gone on, and they live because
//! the next one is nested in them. Nothing in `/proc` leads to them; ioctl_nsfs(2) does.

use std::os::fd::AsFd as _;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use nix::unistd::{getgid, getuid, pause};

use super::request::Neighbor;
use crate::helper::ids;
use crate::sys::{self, Fork};

/// In the neighbor's process, which has one thread.
///
/// # Errors
///
/// Those of unshare(2), clone(2) and setns(2).
pub(super) fn create(neighbor: &Neighbor, many_ids: bool) -> nix::Result<()> {
    if let Some(id) = neighbor.creator.filter(|_| many_ids) {
        ids::set_ids(id)?;
    }
    for with_it in &neighbor.below {
        descend(*with_it)?;
    }
    if neighbor.far != 0 { join_below(neighbor.far) } else { Ok(()) }
}

/// Into a user namespace below, and those that it will own. We are root there.
fn descend(with_it: i32) -> nix::Result<()> {
    let (uid, gid) = (getuid(), getgid());
    unshare(CloneFlags::from_bits_retain(libc::CLONE_NEWUSER | with_it))?;
    // Not by our pid: in a PID namespace of our own it is another than in the lab's /proc.
    ids::map("self", 0, uid.as_raw(), gid.as_raw()).map_err(|error| error.errno)
}

/// A child makes a user namespace and these with it, we join these and end it.
fn join_below(kinds: i32) -> nix::Result<()> {
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(libc::CLONE_NEWUSER | kinds) }? {
        Fork::Child => loop {
            pause();
        },
        Fork::Parent { pid, pidfd } => {
            let joined = setns(&pidfd, CloneFlags::from_bits_retain(kinds));
            sys::pidfd_send_signal(pidfd.as_fd(), Signal::SIGKILL)?;
            waitpid(pid, None)?;
            joined
        }
    }
}
