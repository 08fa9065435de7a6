//! A neighbor's branch of the tree of user namespaces.
//!
//! Its inner nodes have no process: the neighbor that made them has gone further down, and each is
//! kept alive by the one nested in it. No file in `/proc` leads to them, but ioctl_nsfs(2) does.

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
        ids::set_ids([id, id])?;
    }
    for with_it in &neighbor.below {
        descend(*with_it)?;
    }
    if neighbor.far != 0 { join_below(neighbor.far) } else { Ok(()) }
}

/// Moves this process into a new user namespace, where it is root, and into new namespaces that
/// this one owns (`CLONE_NEW*`).
fn descend(with_it: i32) -> nix::Result<()> {
    let (uid, gid) = (getuid(), getgid());
    unshare(CloneFlags::from_bits_retain(libc::CLONE_NEWUSER | with_it))?;
    // Not by pid: in a PID namespace of its own the process has another than in the lab's /proc.
    ids::map("self", [0, 0], uid.as_raw(), gid.as_raw()).map_err(|error| error.errno)
}

/// Joins namespaces of a user namespace below: a child is cloned into them and killed afterwards.
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
