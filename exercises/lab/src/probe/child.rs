//! Throwaway children in which the probes try things.
//!
//! They are made in the way in which the sandbox makes its processes: one id mapped, from outside.

use std::ffi::c_int;
use std::os::fd::AsFd as _;
use std::process::exit;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::refusal::{Refusal, refused};
use crate::helper::ids;
use crate::helper::setup::Stage;
use crate::helper::wire::{self, Reader, Writer};
use crate::sys::{self, Fork};
use trace::flag_names;

pub(super) type Attempt = Result<(), Refusal>;

/// Does `work` as root of a new user namespace, and in the other new namespaces of `flags`.
pub(super) fn as_root_of(flags: c_int, work: impl FnOnce() -> Attempt) -> Attempt {
    child(Stage::Namespaces.name(), libc::CLONE_NEWUSER | flags, Some(host_ids()), work)
}

/// The same from inside [`as_root_of`]: the second level. A refusal of the clone is `at` it.
pub(super) fn below(at: &str, flags: c_int, work: impl FnOnce() -> Attempt) -> Attempt {
    child(at, libc::CLONE_NEWUSER | flags, Some((0, 0)), work)
}

/// Does nothing in a child with new namespaces, whose ids nobody maps.
pub(super) fn born(at: &str, flags: c_int) -> Attempt {
    child(at, flags, None, || Ok(()))
}

fn host_ids() -> (u32, u32) {
    (ids::host_uid(), ids::host_gid())
}

/// Does `work` in a new child and returns the answer. `map` holds the uid and gid here that will
/// be the child's 0.
fn child(
    at: &str,
    flags: c_int,
    map: Option<(u32, u32)>,
    work: impl FnOnce() -> Attempt,
) -> Attempt {
    let (ours, theirs) = wire::pair().map_err(refused(at, "socketpair(SOCK_SEQPACKET)"))?;
    // SAFETY: probes run in processes with one thread.
    match unsafe { sys::fork_into(flags) }.map_err(refused(at, flag_names("clone", flags)))? {
        Fork::Child => {
            drop(ours);
            // One message says that our ids are mapped; the end of file, that they will not be.
            if let Ok(Some(_)) = wire::receive(theirs.as_fd()) {
                answer(theirs.as_fd(), take_ids(map.is_some()).and_then(|()| work()));
            }
            exit(0)
        }
        Fork::Parent { pid, pidfd: _pidfd } => {
            drop(theirs);
            if let Some((uid, gid)) = map {
                ids::map(pid, 0, uid, gid)?;
            }
            _ = wire::send(ours.as_fd(), b"go", &[]);
            heard(wire::receive(ours.as_fd()), at)
        }
    }
}

/// A change of ids clears the parent-death signal (prctl(2)): it is set after that.
fn take_ids(mapped: bool) -> Attempt {
    let at = Stage::Map.name();
    if mapped {
        ids::set_ids(0).map_err(refused(at, "setresuid(0, 0, 0)"))?;
    }
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused(at, "prctl(PR_SET_PDEATHSIG)"))
}

/// Sends an attempt's outcome to whoever asked for it.
pub(super) fn answer(socket: std::os::fd::BorrowedFd, outcome: Attempt) {
    let mut to = Writer::default();
    match outcome {
        Ok(()) => _ = to.number(0),
        Err(refusal) => refusal.encode(to.number(1)),
    }
    _ = wire::send(socket, &to.0, &[]);
}

/// Takes the answer apart. A child that is gone without one was killed, or its kernel is strange.
pub(super) fn heard(message: nix::Result<Option<wire::Received>>, at: &str) -> Attempt {
    let silent = |errno| refused(at, "the probe ended without an answer")(errno);
    let message = message.map_err(silent)?.ok_or_else(|| silent(Errno::EPIPE))?;
    let mut from = Reader(&message.bytes);
    match from.number() {
        Some(0) => Ok(()),
        _ => Err(Refusal::decode(&mut from).unwrap_or_else(|| silent(Errno::EPROTO))),
    }
}
