//! The supervisor: the process between the test and its sandboxes.
//!
//! A test process is the wrong parent for a sandbox. It has threads, so a fork of it may not even
//! allocate; it is large, and forking costs by size; and `waitpid(-1)` in it would steal children.
//! So the first run starts one small process with one thread, and every run is a clone(2) of that.
//!
//! Cargo builds no second program for a library. The supervisor is therefore this same program,
//! started again with [`env::SUPERVISOR`] set: the entry in `lib.rs` runs before `main` and never
//! returns there. It serves requests from its standard input until the test process is gone.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio, exit};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{Uid, setgroups, setsid};

use super::limits;
use super::refusal::{Refusal, Stage, refused};
use super::wire::{self, Wire};
use crate::env;
use crate::sys::{self, Fork};

/// The socket to the supervisor, which the first caller starts.
fn socket() -> Result<BorrowedFd<'static>, Refusal> {
    static SOCKET: OnceLock<Result<OwnedFd, Refusal>> = OnceLock::new();
    let socket = SOCKET.get_or_init(|| {
        limits::raise();
        let (socket, supervisors) =
            wire::pair().map_err(refused(Stage::Supervisor, "socketpair(SOCK_SEQPACKET)"))?;
        // No `pre_exec`: the standard library then uses posix_spawn, whose cost does not grow with
        // the size of this process.
        Command::new("/proc/self/exe")
            .env(env::SUPERVISOR, "1")
            .stdin(Stdio::from(supervisors))
            .stdout(Stdio::null())
            .spawn()
            .map_err(refused(Stage::Supervisor, "execve(\"/proc/self/exe\")"))?;
        Ok(socket)
    });
    socket.as_ref().map(|socket| socket.as_fd()).map_err(Clone::clone)
}

/// Sends the supervisor a request and returns the socket on which it is answered.
pub(crate) fn request(
    job: u8,
    request: &impl Wire,
    fds: &[BorrowedFd],
) -> Result<OwnedFd, Refusal> {
    let stage = Stage::Supervisor;
    let supervisor = socket()?;
    let (socket, answering) = wire::pair().map_err(refused(stage, "socketpair(SOCK_SEQPACKET)"))?;
    let mut message = vec![job];
    request.encode(&mut message);
    let fds = [&[answering.as_fd()], fds].concat();
    wire::send(supervisor, &message, &fds).map_err(refused(stage, "sendmsg(the arguments)"))?;
    Ok(socket)
}

/// The same, and waits for the one answer.
///
/// # Errors
///
/// `ECHILD` when the process that should have answered is gone, and those of [`request`].
pub(crate) fn ask<Answer: Wire>(
    job: u8,
    question: &impl Wire,
    fds: &[BorrowedFd],
) -> nix::Result<Answer> {
    let socket = request(job, question, fds).map_err(|refusal| refusal.errno)?;
    let answer = wire::receive(socket.as_fd())?.ok_or(Errno::ECHILD)?;
    Answer::from_bytes(&answer.bytes).ok_or(Errno::EPROTO)
}

/// What the supervisor does with a request: its body, the socket for the answer, and the
/// descriptors that came with it. A job returns at once; what takes time is done by a process that
/// it forks.
pub(crate) type Job = fn(&[u8], OwnedFd, Vec<OwnedFd>);

/// In the supervisor: forks a process that answers with what `work` makes of the request. `failed`
/// is the answer where the fork is refused.
pub(crate) fn answer<Question: Wire, Answer: Wire>(
    body: &[u8],
    socket: OwnedFd,
    failed: impl FnOnce(Errno) -> Answer,
    work: impl FnOnce(Question) -> Answer,
) {
    let Some(question) = Question::from_bytes(body) else { return };
    let send = |answer: Answer| _ = wire::send(socket.as_fd(), &answer.to_bytes(), &[]);
    // SAFETY: the supervisor has one thread.
    match unsafe { sys::fork_into(0) } {
        Ok(Fork::Child) => {
            send(work(question));
            exit(0)
        }
        Ok(Fork::Parent { .. }) => {}
        Err(errno) => send(failed(errno)),
    }
}

/// Serves requests until the test process is gone, if this process is the supervisor; otherwise
/// returns at once. Called before `main`, in the only thread.
pub(crate) fn serve_if_marked(jobs: &[(u8, Job)]) {
    if env::is_supervisor() {
        serve(jobs);
        exit(0);
    }
}

fn serve(jobs: &[(u8, Job)]) {
    // SAFETY: both are the kernel's own dispositions, no handler runs. While SIGCHLD is ignored the
    // kernel reaps (wait(2)): nothing here waits, and the check learns the end from the sandbox's
    // PID 1.
    unsafe {
        _ = signal(Signal::SIGCHLD, SigHandler::SigIgn);
        _ = signal(Signal::SIGPIPE, SigHandler::SigIgn);
    }
    // Descriptors that the test process left inheritable must not reach a sandbox. None above 2 has
    // an owner in this process yet.
    _ = sys::close_from_except(3, &[]);
    _ = std::env::set_current_dir("/");
    // A visitor opens files that a program chose. Without a session of its own it could reach the
    // reader's terminal.
    _ = setsid();
    if Uid::effective().is_root() {
        // Root's supplementary groups would follow into the sandbox. Root of a user namespace may
        // be refused; its groups are then those of an ordinary user.
        _ = setgroups(&[]);
    }
    let requests = std::io::stdin();
    while let Ok(Some(message)) = wire::receive(requests.as_fd()) {
        let mut fds = message.fds;
        let Some((mark, body)) = message.bytes.split_first() else { continue };
        let job = jobs.iter().find(|(known, _)| known == mark);
        if let (Some((_, job)), false) = (job, fds.is_empty()) {
            job(body, fds.remove(0), fds);
        }
    }
}
