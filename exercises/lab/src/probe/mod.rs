//! The probes, and how one is asked for.
//!
//! The supervisor forks a child for each: it has one thread, which unshare(2) and setns(2) with a
//! user namespace require, and what a probe does to itself ends with it.

mod child;
mod attempts;

use std::os::fd::{AsFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::signal::Signal;

use crate::env::patience;
use crate::helper::refusal::refused;
use crate::helper::{supervisor, wire};
use crate::sys;
use attempts as try_;
use child::{Attempt, result_in};

/// The first byte of a request to the supervisor.
pub const JOB: u8 = b'p';

/// One thing that is tried.
pub struct Probe {
    /// The key under `when` in the doctor's table, and its name in `--json`.
    pub name: &'static str,
    pub what: &'static str,
    /// The chapters that cannot be checked without it.
    pub chapters: &'static [u32],
    /// The Linux version that it came with, if the course has a fallback.
    pub newer: Option<&'static str>,
    attempt: fn() -> Attempt,
}

/// The chapters whose checks need a sandbox.
pub const EVERY: &[u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

const fn needed(
    name: &'static str,
    what: &'static str,
    chapters: &'static [u32],
    attempt: fn() -> Attempt,
) -> Probe {
    Probe { name, what, chapters, newer: None, attempt }
}

/// What no check needs.
const fn extra(name: &'static str, what: &'static str, attempt: fn() -> Attempt) -> Probe {
    Probe { name, what, chapters: &[], newer: None, attempt }
}

const fn newer(
    name: &'static str,
    what: &'static str,
    since: &'static str,
    attempt: fn() -> Attempt,
) -> Probe {
    Probe { name, what, chapters: &[], newer: Some(since), attempt }
}

/// In this order: a probe comes after those whose subject it needs.
pub const ALL: [Probe; 31] = [
    needed("supervisor", "a helper process", EVERY, try_::answers),
    needed("limits", "resource limits that are high enough", EVERY, try_::limits),
    needed("namespaces", "a new user namespace", EVERY, try_::user_namespace),
    needed("map", "its id maps", EVERY, try_::maps),
    needed("uts", "a new UTS namespace in it", EVERY, try_::uts),
    needed("ipc", "a new IPC namespace in it", EVERY, try_::ipc),
    needed("net", "a new network namespace in it", EVERY, try_::net),
    needed("mnt", "a new mount namespace in it", EVERY, try_::mnt),
    needed("pid", "a new PID namespace in it", EVERY, try_::pid),
    needed("processes", "many processes at once", EVERY, try_::processes),
    needed("cgroup", "a new cgroup namespace in it", EVERY, try_::cgroup),
    needed("time", "a new time namespace in it", &[15, 17], try_::time),
    needed("mount", "private mounts and a tmpfs", EVERY, try_::mounts),
    needed("show", "a file shown elsewhere", EVERY, try_::show),
    needed("proc", "a fresh /proc", EVERY, try_::proc),
    needed("network", "the loopback interface up", EVERY, try_::loopback),
    needed("pivot", "a new root directory", EVERY, try_::pivot),
    needed("inner", "a second level with locked mounts", EVERY, try_::second_level),
    needed("hostname", "a host name of one's own", EVERY, try_::host_name),
    needed("setns", "entering a child's namespaces", EVERY, try_::enter),
    needed("pidfd", "a descriptor for a process", EVERY, try_::pidfd),
    needed("others", "files in /proc of other processes", EVERY, try_::others),
    needed("clone3", "clone3(2)", &[3], try_::clone3),
    needed("cgroup_mount", "a mount of one's cgroup", &[14], try_::cgroup_mount),
    extra("ptrace", "following a program (`trace`, and the calls in a diagnosis)", try_::trace),
    extra("cgroup_v2", "cgroups of one's own (two steps of chapter 14)", try_::own_cgroups),
    extra("cgroup_limits", "limits in them (a step of chapter 14)", try_::cgroup_limits),
    newer("setns_pidfd", "entering by pidfd", "5.8", try_::enter_by_pidfd),
    newer("mount_setattr", "flags for a whole tree of mounts", "5.12", try_::mount_setattr),
    newer("peer_pidfd", "a pidfd of a socket's peer", "6.5", try_::peer_pidfd),
    newer("pidfd_namespaces", "namespaces by pidfd", "6.11", try_::pidfd_namespaces),
];

/// The places in the doctor's table, in the order in which they are tried, with what is tried there
/// in words: "a fresh /proc" for `proc`.
pub fn places() -> impl Iterator<Item = (&'static str, &'static str)> {
    let probes = ALL.iter().map(|probe| (probe.name, probe.what));
    // Not a probe of its own: the probe `inner` may report it (`attempts.rs`).
    probes.chain([("lock", "the locked mounts of the second level")])
}

impl Probe {
    /// Lets the supervisor run it.
    ///
    /// # Errors
    ///
    /// The call that was refused. It is another probe's when this one did not get that far.
    pub fn ask(&self) -> Attempt {
        let socket = supervisor::request(JOB, &self.name.to_owned(), &[])?;
        match sys::await_readable(&socket, patience()) {
            Ok(false) => Err(refused(self.name, "the probe still waits")(Errno::ETIMEDOUT)),
            _ => result_in(wire::receive(socket.as_fd()), self.name),
        }
    }
}

/// In the supervisor: forks a child that runs one probe.
pub fn fork_probe(body: &[u8], socket: OwnedFd, _: Vec<OwnedFd>) {
    let failed = |errno| Err(refused("supervisor", "fork()")(errno));
    supervisor::answer(body, socket, failed, |name: String| {
        _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
        // The check stops waiting by then; SIGALRM ends this process.
        _ = nix::unistd::alarm::set(patience().as_secs().clamp(1, 600) as u32);
        match ALL.iter().find(|probe| probe.name == name) {
            Some(probe) => (probe.attempt)(),
            None => Err(refused("supervisor", format!("the probe {name:?}"))(Errno::ENOENT)),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_keys() {
        for probe in &ALL {
            assert_eq!(ALL.iter().filter(|other| other.name == probe.name).count(), 1);
            assert!(probe.newer.is_none() || probe.chapters.is_empty(), "{}", probe.name);
        }
    }
}
