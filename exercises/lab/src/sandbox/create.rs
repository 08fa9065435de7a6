//! In the supervisor: the birth of a sandbox.

use std::ffi::{CString, c_int};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::OnceLock;

use super::cgroups::LabCgroups;
use super::message::{Message, fail};
use super::request::{Request, State};
use super::setup::{Descriptors, Setup};
use super::{init, lab, recording};
use crate::helper::ids;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::helper::wire::Wire as _;
use crate::sys::{self, Fork};
use trace::flag_names;

/// The first byte of a request to the supervisor.
pub(crate) const JOB: u8 = b'r';

pub(crate) fn fork_sandbox(body: &[u8], report: OwnedFd, fds: Vec<OwnedFd>) {
    // They stay what they are: an id map is written once (user_namespaces(7)).
    static HOST: OnceLock<(u32, u32)> = OnceLock::new();
    let host = *HOST.get_or_init(|| (ids::host_uid(), ids::host_gid()));
    let Some(request) = Request::from_bytes(body) else { return };
    let Some(fds) = Descriptors::received(&request, fds) else { return };
    let mut setup = Setup { request, fds, report, recorder: None, cgroups: None };
    if let Err(refusal) = run(&mut setup, host) {
        fail(&setup.report, refusal);
    }
}

/// Starts what goes with a sandbox, a janitor for its cgroups and a recorder, clones its PID 1, gives
/// that its ids (these of ours, or many), and hands its pidfd to the check.
fn run(setup: &mut Setup, (uid, gid): (u32, u32)) -> Result<(), Refusal> {
    let stage = Stage::Supervisor;
    let request = &setup.request;
    if let (Some(plan), Some(gone)) = (&request.own_cgroups, setup.fds.cgroups_gone.take()) {
        setup.cgroups = Some(LabCgroups::begin(plan, request, gone)?);
    }
    let mut recorder = None;
    if let Some(trace) = setup.fds.trace.take() {
        let (socket, programs) =
            recording::pair().map_err(refused(stage, "socketpair(SOCK_SEQPACKET)"))?;
        setup.recorder = Some(programs);
        recorder = Some((socket, trace));
    }
    // A mapped id cannot walk through root's home, so where we have the right to (real root) the
    // mounts of single files are made here and travel as descriptors.
    let shown: Vec<Option<OwnedFd>> = request
        .shown
        .iter()
        .map(|shown| sys::clone_tree(&CString::new(shown.path.as_str()).ok()?).ok())
        .collect();
    let (go, wait) = {
        let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
            .map_err(refused(stage, "pipe2(O_CLOEXEC)"))?;
        (writer, reader)
    };
    let flags = outer_flags(request);
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(flags) }
        .map_err(refused(Stage::Namespaces, flag_names("clone", flags)))?
    {
        Fork::Child => {
            drop(go);
            init::main(setup, shown, wait)
        }
        Fork::Parent { pid, pidfd } => {
            match request.many_ids.then(ids::many).flatten() {
                Some((uid, gid)) => ids::map_many(pid, 0, uid, gid, ids::MANY)?,
                None => ids::map(pid, 0, uid, gid)?,
            }
            if let Some((socket, trace)) = recorder {
                recording::fork_recorder(request, socket, trace, (pid, &pidfd))
                    .map_err(refused(stage, "clone(the recorder)"))?;
            }
            Message::Created
                .send(setup.report.as_fd(), &[pidfd.as_fd()])
                .map_err(refused(stage, "sendmsg(SCM_RIGHTS)"))?;
            // A child that has died tells so itself, or its pidfd does.
            _ = nix::unistd::write(&go, b"g");
            Ok(())
        }
    }
}

/// The namespaces into which PID 1 is cloned; [`lab`] has the reason for the difference.
fn outer_flags(request: &Request) -> c_int {
    let base = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID;
    match request.state {
        State::RootLab => base,
        State::PlainUser => base | lab::flags(request),
    }
}
