//! In the supervisor: the birth of a sandbox.

use std::ffi::{CString, c_int};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::OnceLock;

use super::cgroups::LabCgroups;
use super::descriptors::Descriptors;
use super::message::{Message, fail};
use super::request::{Request, State, lab_flags};
use super::{init, recording};
use crate::helper::ids;
use crate::helper::setup::{SetupError, Stage, at};
use crate::sys::{self, Fork};
use trace::flag_names;

/// The first byte of a request to the supervisor.
pub(crate) const JOB: u8 = b'r';

pub(crate) fn fork_sandbox(body: &[u8], mut fds: std::vec::IntoIter<OwnedFd>) {
    // They stay what they are: an id map is written once (user_namespaces(7)).
    static HOST: OnceLock<(u32, u32)> = OnceLock::new();
    let host = *HOST.get_or_init(|| (ids::host_uid(), ids::host_gid()));
    if let (Some(request), Some(mut descriptors)) =
        (Request::decode(body), Descriptors::take(&mut fds))
        && let Err(error) = run(&request, &mut descriptors, fds, host)
    {
        fail(&descriptors.report, error);
    }
}

/// Clones PID 1 of a sandbox, gives it its ids (these of ours, or many), and hands its pidfd to the
/// check. Two more descriptors may follow: with cgroups a pipe for their janitor, and where a trace
/// is wanted a pipe for it; a recorder goes with the sandbox then.
fn run(
    request: &Request,
    fds: &mut Descriptors,
    mut more: impl Iterator<Item = OwnedFd>,
    (uid, gid): (u32, u32),
) -> Result<(), SetupError> {
    let stage = Stage::Supervisor;
    if let Some(plan) = &request.own_cgroups
        && let Some(gone) = more.next()
    {
        fds.cgroups = Some(LabCgroups::begin(plan, request, gone)?);
    }
    let trace = more.next();
    let recorder = trace.map(|trace| Ok((trace, recording::pair()?))).transpose();
    let recorder = recorder.map_err(at(stage, "socketpair(SOCK_SEQPACKET)"))?;
    let recorder = recorder.map(|(trace, (ours, theirs))| {
        fds.recorder = Some(theirs);
        (trace, ours)
    });
    // A mapped id cannot walk through root's home, so where we have the right to (real root) the
    // mounts of single files are made here and travel as descriptors.
    let shown: Vec<Option<OwnedFd>> = request
        .shown
        .iter()
        .map(|shown| sys::clone_tree(&CString::new(shown.path.as_str()).ok()?).ok())
        .collect();
    let (go, wait) = {
        let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
            .map_err(at(stage, "pipe2(O_CLOEXEC)"))?;
        (writer, reader)
    };
    let flags = outer_flags(request);
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(flags) }
        .map_err(at(Stage::Namespaces, flag_names("clone", flags)))?
    {
        Fork::Child => {
            drop(go);
            init::main(request, fds, shown, wait)
        }
        Fork::Parent { pid, pidfd } => {
            match request.many_ids.then(ids::many).flatten() {
                Some((uid, gid)) => ids::map_many(pid, 0, uid, gid, ids::MANY)?,
                None => ids::map(pid, 0, uid, gid)?,
            }
            if let Some((trace, socket)) = recorder {
                recording::fork_recorder(request, socket, trace, (pid, &pidfd))
                    .map_err(at(stage, "clone(the recorder)"))?;
            }
            Message::Created
                .send(fds.report.as_fd(), &[pidfd.as_fd()])
                .map_err(at(stage, "sendmsg(SCM_RIGHTS)"))?;
            // A child that has died tells so itself, or its pidfd does.
            _ = nix::unistd::write(&go, b"g");
            Ok(())
        }
    }
}

/// In the *root lab* the namespaces belong to the inner user namespace, where the program is root.
/// The *plain user* finds them made by somebody else: they belong to the outer one.
fn outer_flags(request: &Request) -> c_int {
    let base = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID;
    match request.state {
        State::RootLab => base,
        State::PlainUser => base | lab_flags(request),
    }
}
