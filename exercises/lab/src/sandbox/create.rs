//! In the supervisor: the birth of a sandbox.

use std::ffi::c_int;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::OnceLock;

use nix::fcntl::OFlag;
use nix::unistd::{pipe2, write};
use trace::flag_names;

use super::cgroups::LabCgroups;
use super::message::{Message, fail};
use super::request::{Request, State};
use super::root::Opened;
use super::setup::{Descriptors, Setup};
use super::{init, lab, recording};
use crate::helper::ids;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::helper::wire::Wire as _;
use crate::sys::{self, Fork};

/// The first byte of a request to the supervisor.
pub(crate) const JOB: u8 = b'r';

pub(crate) fn fork_sandbox(body: &[u8], report: OwnedFd, fds: Vec<OwnedFd>) {
    // They do not change, because an id map is written once (user_namespaces(7)).
    static HOST: OnceLock<(u32, u32)> = OnceLock::new();
    let host = *HOST.get_or_init(|| (ids::host_uid(), ids::host_gid()));
    let Some(request) = Request::from_bytes(body) else { return };
    let Some(fds) = Descriptors::received(&request, fds) else { return };
    let mut setup = Setup { request, fds, report, recorder: None, cgroups: None };
    if let Err(refusal) = run(&mut setup, host) {
        fail(&setup.report, refusal);
    }
}

/// Starts what goes with a sandbox, a janitor for its cgroups and a recorder. Clones its PID 1,
/// maps the ids of that (to this uid and gid, or many), and sends its pidfd to the check.
fn run(setup: &mut Setup, (uid, gid): (u32, u32)) -> Result<(), Refusal> {
    let stage = Stage::Supervisor;
    let request = &setup.request;
    if let (Some(plan), Some(gone)) = (&request.own_cgroups, setup.fds.cgroups_gone.take()) {
        setup.cgroups = Some(LabCgroups::create(plan, request, gone)?);
    }
    let mut recorder = None;
    if let Some(trace) = setup.fds.trace.take() {
        let (socket, programs) =
            recording::pair().map_err(refused(stage, "socketpair(SOCK_SEQPACKET)"))?;
        setup.recorder = Some(programs);
        recorder = Some((socket, trace));
    }
    // The mapped id cannot walk through root's home. Real root can, so the files to show are opened
    // here where that is allowed, and passed on as descriptors.
    let shown = request.shown.iter().map(|shown| Opened::open(&shown.path, uid)).collect();
    let (wait, go) = pipe2(OFlag::O_CLOEXEC).map_err(refused(stage, "pipe2(O_CLOEXEC)"))?;
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
                Some((uid, gid)) => ids::map_many(pid, [0, 0], uid, gid, ids::MANY)?,
                None => ids::map(pid, [0, 0], uid, gid)?,
            }
            if let Some((socket, trace)) = recorder {
                recording::fork_recorder(request, socket, trace, (pid, &pidfd))
                    .map_err(refused(stage, "clone(the recorder)"))?;
            }
            Message::Created
                .send(setup.report.as_fd(), &[pidfd.as_fd()])
                .map_err(refused(stage, "sendmsg(SCM_RIGHTS)"))?;
            // If the child has died, the check sees that by its message or its pidfd.
            _ = write(&go, b"g");
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
