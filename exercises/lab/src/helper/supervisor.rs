//! The supervisor: the process between the test and its sandboxes.
//!
//! A test process is the wrong parent for a sandbox. It has threads, so a fork of it may not even
//! allocate; it is large, and forking costs by size; and `waitpid(-1)` in it would steal children.
//! So the first run starts one small process with one thread, and every run is a clone(2) of that.
//!
//! Cargo builds no second program for a library. The supervisor is therefore this same program,
//! started again with [`env::SUPERVISOR`] set: the entry in `lib.rs` runs before `main` and never returns there. It
//! serves requests from its standard input until the test process is gone.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{Uid, setgroups, setsid};

use super::setup::{SetupError, Stage, at, io_at};
use super::wire;
use crate::{env, sys};

/// The socket to the supervisor, which the first caller starts.
pub(crate) fn socket() -> Result<BorrowedFd<'static>, SetupError> {
    static SOCKET: OnceLock<Result<OwnedFd, SetupError>> = OnceLock::new();
    let socket = SOCKET.get_or_init(|| {
        let (ours, theirs) =
            wire::pair().map_err(at(Stage::Supervisor, "socketpair(SOCK_SEQPACKET)"))?;
        // No `pre_exec`: the standard library then uses posix_spawn, whose cost does not grow with
        // the size of this process.
        Command::new("/proc/self/exe")
            .env(env::SUPERVISOR, "1")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .map_err(io_at(Stage::Supervisor, "execve(\"/proc/self/exe\")"))?;
        Ok(ours)
    });
    socket.as_ref().map(AsFd::as_fd).map_err(Clone::clone)
}

/// What the supervisor does with a request: the bytes behind its mark, and its descriptors. A job
/// returns at once; what takes time is done by a process that it forks.
pub(crate) type Job = fn(&[u8], std::vec::IntoIter<OwnedFd>);

/// Serves requests until the test process is gone, if this process is the supervisor; otherwise
/// returns at once. Called before `main`, in the only thread.
pub(crate) fn serve_if_marked(jobs: &[(u8, Job)]) {
    if env::is_supervisor() {
        serve(jobs);
        std::process::exit(0);
    }
}

fn serve(jobs: &[(u8, Job)]) {
    // SAFETY: both are the kernel's own dispositions, no handler runs. Ignoring SIGCHLD lets the
    // kernel reap: nobody waits here, the check learns the end from PID 1 of the sandbox.
    unsafe {
        _ = signal(Signal::SIGCHLD, SigHandler::SigIgn);
        _ = signal(Signal::SIGPIPE, SigHandler::SigIgn);
    }
    // Whatever the test process had open and inheritable is none of a sandbox's business. No
    // descriptor above 2 has an owner in this process yet.
    _ = sys::close_from_except(3, &[]);
    _ = std::env::set_current_dir("/");
    // Visitors open what a program has put somewhere. The reader's terminal shall not be theirs.
    _ = setsid();
    if Uid::effective().is_root() {
        // Root's supplementary groups would follow into the sandbox. Without the right to drop
        // them (root of a user namespace) they are somebody's who is not root.
        _ = setgroups(&[]);
    }
    let requests = std::io::stdin();
    while let Ok(Some(message)) = wire::receive(requests.as_fd()) {
        let Some((mark, body)) = message.bytes.split_first() else { continue };
        if let Some((_, job)) = jobs.iter().find(|(known, _)| known == mark) {
            job(body, message.fds.into_iter());
        }
    }
}
