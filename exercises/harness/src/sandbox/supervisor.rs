//! The supervisor: the process between the test and its sandboxes.
//!
//! A test process is the wrong parent for a sandbox. It has threads, so a fork of it may not even
//! allocate; it is large, and forking costs by size; and `waitpid(-1)` in it would steal children.
//! So the first run starts one small process with one thread, and every run is a clone(2) of that.
//!
//! Cargo builds no second program for a library. The supervisor is therefore this same program,
//! started again with [`MARK`] set: [`ENTRY`] runs before `main` and never returns there. It
//! serves requests from its standard input until the test process is gone.

use std::ffi::{CString, c_int};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{Uid, setgroups, setsid};

use super::cgroups::Tenancy;
use super::message::{Message, fail};
use super::outer::{self, Descriptors};
use super::request::{Request, State};
use super::setup::{SetupError, Stage, at, io_at};
use super::{ids, recording, wire};
use crate::doctor::probe;
use crate::look::cgroup;
use crate::look::visitor::{self, Visit};
use crate::sys::{self, Fork};

/// Set in the supervisor's environment, and in nobody else's.
const MARK: &str = "NAMESPACES_BY_HAND_SUPERVISOR";

// SAFETY: the C library calls each function in this section once, before main, in the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

extern "C" fn entry() {
    if std::env::var_os(MARK).is_some() {
        serve();
        std::process::exit(0);
    }
}

/// The first byte of a message to the supervisor.
pub(crate) const RUN: u8 = b'r';
pub(crate) const VISIT: u8 = b'v';
pub(crate) const PROBE: u8 = b'p';
pub(crate) const FILL: u8 = b'f';

/// The socket to the supervisor, which the first caller starts.
pub(crate) fn socket() -> Result<BorrowedFd<'static>, SetupError> {
    static SOCKET: OnceLock<Result<OwnedFd, SetupError>> = OnceLock::new();
    let socket = SOCKET.get_or_init(|| {
        let (ours, theirs) =
            wire::pair().map_err(at(Stage::Supervisor, "socketpair(SOCK_SEQPACKET)"))?;
        // No `pre_exec`: the standard library then uses posix_spawn, whose cost does not grow with
        // the size of this process.
        Command::new("/proc/self/exe")
            .env(MARK, "1")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .map_err(io_at(Stage::Supervisor, "execve(\"/proc/self/exe\")"))?;
        Ok(ours)
    });
    socket.as_ref().map(AsFd::as_fd).map_err(Clone::clone)
}

fn serve() {
    // SAFETY: both are the kernel's own dispositions, no handler runs. Ignoring SIGCHLD lets the
    // kernel reap: nobody waits here, the check learns the end from PID 1 of the sandbox.
    unsafe {
        _ = signal(Signal::SIGCHLD, SigHandler::SigIgn);
        _ = signal(Signal::SIGPIPE, SigHandler::SigIgn);
    }
    // Whatever the test process had open and inheritable is none of a sandbox's business. No
    // descriptor above 2 has an owner in this process yet.
    _ = sys::close_from_but(3, &[]);
    _ = std::env::set_current_dir("/");
    // Visitors open what a program has put somewhere. The reader's terminal shall not be theirs.
    _ = setsid();
    if Uid::effective().is_root() {
        // Root's supplementary groups would follow into the sandbox. Without the right to drop
        // them (root of a user namespace) they are somebody's who is not root.
        _ = setgroups(&[]);
    }
    // They stay what they are: an id map is written once (user_namespaces(7)).
    let host = (ids::host_uid(), ids::host_gid());
    let requests = std::io::stdin();
    while let Ok(Some(message)) = wire::receive(requests.as_fd()) {
        let mut fds = message.fds.into_iter();
        match message.bytes.split_first() {
            Some((&RUN, body)) => {
                if let (Some(request), Some(mut descriptors)) =
                    (Request::decode(body), Descriptors::take(&mut fds))
                    && let Err(error) = run(&request, &mut descriptors, fds, host)
                {
                    fail(&descriptors.report, error);
                }
            }
            Some((&VISIT, body)) => {
                if let Some(visit) = Visit::decode(body) {
                    visitor::fork_visitor(visit, fds);
                }
            }
            Some((&PROBE, name)) => probe::fork_probe(name, fds),
            Some((&FILL, body)) => cgroup::fork_filler(body, fds),
            _ => {}
        }
    }
}

/// Clones PID 1 of a sandbox, gives it its ids (these of ours, or many), and hands its pidfd to the
/// check. Two more descriptors may follow: with cgroups a pipe for their janitor, and where a story
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
        fds.tenancy = Some(Tenancy::begin(plan, request, gone)?);
    }
    let story = more.next();
    let recorder = story.map(|story| Ok((story, recording::pair()?))).transpose();
    let recorder = recorder.map_err(at(stage, "socketpair(SOCK_SEQPACKET)"))?;
    let recorder = recorder.map(|(story, (ours, theirs))| {
        fds.recorder = Some(theirs);
        (story, ours)
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
            outer::main(request, fds, shown, wait)
        }
        Fork::Parent { pid, pidfd } => {
            match request.many_ids.then(ids::many).flatten() {
                Some((uid, gid)) => ids::map_many(pid, 0, uid, gid, ids::MANY)?,
                None => ids::map(pid, 0, uid, gid)?,
            }
            if let Some((story, socket)) = recorder {
                recording::fork_recorder(request, socket, story, (pid, &pidfd))
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

/// The namespaces of the lab, beside user, mount and PID.
pub(crate) fn lab_flags(request: &Request) -> c_int {
    let network = if request.network { libc::CLONE_NEWNET } else { 0 };
    libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP | network
}

/// The call as one would type it.
pub(crate) fn flag_names(call: &str, flags: c_int) -> String {
    let names: Vec<_> = crate::look::Kind::ALL
        .iter()
        .filter(|kind| flags & kind.flag() != 0)
        .map(|kind| kind.flag_name())
        .collect();
    format!("{call}({})", names.join(" | "))
}
