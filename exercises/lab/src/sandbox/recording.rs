//! A run that is recorded: the recorder's process, and what the program's has to do for it.
//!
//! The supervisor forks the recorder, which goes into the sandbox's outer user namespace and no
//! other. There it waits for the program-to-be to ask over a socket. The kernel tells who asked.

use std::ffi::c_int;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::exit;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;

use super::request::Request;
use super::request::with_pids;
use crate::helper::ids;
use crate::helper::wire::{self, Reader, Writer};
use crate::look::{Kind, Process, namespaces};
use crate::record::filter;
use crate::record::recorder::{self, Neighbor};
use crate::sys::{self, Fork};

/// What comes back in a trace's place when there is none: this word and the errno's number.
pub(crate) const REFUSED: &str = "refused ";

/// The recorder's end of the socket, and the program's.
pub(crate) fn pair() -> nix::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = wire::pair()?;
    setsockopt(&ours, sockopt::PassCred, &true)?;
    Ok((ours, theirs))
}

/// In the supervisor: starts the recorder for the sandbox of this PID 1.
pub(crate) fn fork_recorder(
    request: &Request,
    socket: OwnedFd,
    trace: OwnedFd,
    init: (Pid, &OwnedFd),
) -> nix::Result<()> {
    let user = namespaces::open(init.1, init.0, Kind::User)?;
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(0) }? {
        Fork::Parent { .. } => Ok(()),
        Fork::Child => {
            // The check waits for the end of pipes that the supervisor still holds.
            _ = sys::close_from_except(
                3,
                &[socket.as_raw_fd(), trace.as_raw_fd(), user.as_raw_fd()],
            );
            let text = follow(request, socket, user, init.0, &trace)
                .unwrap_or_else(|errno| format!("{REFUSED}{}", errno as i32));
            // From here on the reader's end is heard of by the writing.
            _ = fcntl(&trace, FcntlArg::F_SETFL(OFlag::empty()));
            // Whoever wanted to read it may be gone.
            _ = File::from(trace).write_all(text.as_bytes());
            exit(0)
        }
    }
}

/// In the recorder.
fn follow(
    request: &Request,
    socket: OwnedFd,
    user: OwnedFd,
    init: Pid,
    trace: &OwnedFd,
) -> nix::Result<String> {
    // The supervisor lets the kernel reap. The ends of those it traces, a recorder must see.
    // SAFETY: the kernel's own disposition, no handler runs.
    _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    // What ps(1) calls us.
    _ = nix::sys::prctl::set_name(c"recorder");
    // In a user namespace of somebody else, this process has its rights there and no others.
    setns(&user, CloneFlags::CLONE_NEWUSER)?;
    drop(user);
    ids::set_ids(0)?;
    // It ends when everybody whom it traces has. Should it wait for something else by then, it ends
    // with the supervisor.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    end_with_the_reader(trace);

    let message = wire::receive(socket.as_fd())?.ok_or(Errno::EPIPE)?;
    let program = message.sender.map(|sender| Pid::from_raw(sender.pid())).ok_or(Errno::ESRCH)?;
    let neighbors = Reader(&message.bytes).list(|from| Some((from.text()?, from.number()? as i32)));
    let neighbors = neighbors.unwrap_or_default();
    let attached = recorder::attach(program);
    let answer = attached.map_or_else(|errno| errno as u8, |()| 0);
    wire::send(socket.as_fd(), &[answer], &[])?;
    drop(socket);
    attached?;
    let parked = on_this_machine(init, &neighbors);
    let words = request.command.iter().map(|word| word.to_string_lossy());
    let command: Vec<_> = words.map(|word| with_pids(&word, &neighbors)).collect();
    Ok(recorder::record(program, command, &parked))
}

/// The check knows no pid of the recorder. It closes its end of the pipe when it will wait no
/// longer, and the kernel tells the owner of the other end by a signal (fcntl(2), `O_ASYNC`). Whoever
/// traces and ends takes all those whom it traces along.
fn end_with_the_reader(trace: &OwnedFd) {
    /// Of `include/uapi/asm-generic/fcntl.h`.
    const F_SETSIG: c_int = 10;
    let fd = trace.as_raw_fd();
    // SAFETY: both take a number. The owner is this process, by the ids that it keeps.
    unsafe {
        libc::fcntl(fd, libc::F_SETOWN, Pid::this().as_raw());
        libc::fcntl(fd, F_SETSIG, libc::SIGKILL);
    }
    // Where the kernel knows none of this, the recorder ends when it has something to write.
    _ = fcntl(trace, FcntlArg::F_SETFL(OFlag::O_ASYNC));
}

/// The neighbors by their pids here; they know only those inside.
fn on_this_machine(init: Pid, neighbors: &[(String, i32)]) -> Vec<Neighbor> {
    let Ok(init) = Process::open(init) else { return Vec::new() };
    let children = init.children();
    let find = |inside: i32| {
        let process = children.iter().find(|child| child.own_pid_below(&init) == Some(inside));
        process.map(Process::pid)
    };
    let known = neighbors
        .iter()
        .filter_map(|(name, inside)| Some(Neighbor { pid: find(*inside)?, name: name.clone() }));
    known.collect()
}

/// In the program-to-be, as the last thing before its exec: asks for the recorder, and then to be
/// stopped at the calls of a trace. Without a recorder it runs on, unrecorded.
pub(crate) fn ask(socket: &OwnedFd, neighbors: &[(String, i32)]) -> nix::Result<()> {
    let mut to = Writer::default();
    to.list(neighbors, |to, (name, pid)| _ = to.text(name).number(*pid as u64));
    wire::send(socket.as_fd(), &to.0, &[])?;
    match wire::receive(socket.as_fd())? {
        Some(answer) if answer.bytes == [0] => filter::install(),
        _ => Ok(()),
    }
}
