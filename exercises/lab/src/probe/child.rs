//! Throwaway children in which the probes try things.
//!
//! They are made in the way in which the sandbox makes its processes: one id mapped, from outside.

use std::ffi::c_int;
use std::os::fd::AsFd as _;
use std::process::exit;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use trace::flag_names;

use crate::helper::ids;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::helper::wire::{self, Received, Wire as _};
use crate::sys::{self, Fork};

pub(super) type Attempt = Result<(), Refusal>;

/// Does `work` as root of a new user namespace, and in the other new namespaces of `flags`.
pub(super) fn as_root_of(flags: c_int, work: impl FnOnce() -> Attempt) -> Attempt {
    let ids = (ids::host_uid(), ids::host_gid());
    child(Stage::Namespaces.name(), libc::CLONE_NEWUSER | flags, Some(ids), work)
}

/// The same inside [`as_root_of`]: the second level. A refused clone counts as refused `at` it.
pub(super) fn below(at: &str, flags: c_int, work: impl FnOnce() -> Attempt) -> Attempt {
    child(at, libc::CLONE_NEWUSER | flags, Some((0, 0)), work)
}

/// Does nothing, in a child with new namespaces and unmapped ids.
pub(super) fn idle(at: &str, flags: c_int) -> Attempt {
    child(at, flags, None, || Ok(()))
}

/// Does `work` in a new child and returns its result. `map` has the uid and gid that are 0 there.
fn child(
    at: &str,
    flags: c_int,
    map: Option<(u32, u32)>,
    work: impl FnOnce() -> Attempt,
) -> Attempt {
    let (parent, child) = wire::pair().map_err(refused(at, "socketpair(SOCK_SEQPACKET)"))?;
    // SAFETY: probes run in processes with one thread.
    match unsafe { sys::fork_into(flags) }.map_err(refused(at, flag_names("clone", flags)))? {
        Fork::Child => {
            drop(parent);
            // A message means that the ids are mapped; an end-of-file, that they will not be.
            if let Ok(Some(_)) = wire::receive(child.as_fd()) {
                let result = take_ids(map.is_some()).and_then(|()| work());
                _ = wire::send(child.as_fd(), &result.to_bytes(), &[]);
            }
            exit(0)
        }
        Fork::Parent { pid, pidfd: _pidfd } => {
            drop(child);
            if let Some((uid, gid)) = map {
                ids::map(pid, [0, 0], uid, gid)?;
            }
            _ = wire::send(parent.as_fd(), b"go", &[]);
            result_in(wire::receive(parent.as_fd()), at)
        }
    }
}

/// A change of ids clears the parent-death signal (prctl(2)), so that is set afterwards.
fn take_ids(mapped: bool) -> Attempt {
    let at = Stage::Map;
    if mapped {
        ids::set_ids([0, 0]).map_err(refused(at, "setresuid(0, 0, 0)"))?;
    }
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused(at, "prctl(PR_SET_PDEATHSIG)"))
}

/// What a child has sent. One that ended without a message was killed.
pub(super) fn result_in(message: nix::Result<Option<Received>>, at: &str) -> Attempt {
    let silent = |errno| refused(at, "the probe ended without an answer")(errno);
    let message = message.map_err(silent)?.ok_or_else(|| silent(Errno::EPIPE))?;
    Attempt::from_bytes(&message.bytes).unwrap_or_else(|| Err(silent(Errno::EPROTO)))
}
