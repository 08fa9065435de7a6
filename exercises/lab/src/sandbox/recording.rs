//! A run that is recorded: the recorder's process, what the program's process has to do for it, and
//! what the check reads at the end.
//!
//! The supervisor forks the recorder, which enters the sandbox's outer user namespace and no other
//! namespace. There it waits until the program's process asks for it over a socket: the pid in the
//! message's credentials is the kernel's (unix(7)).

use std::ffi::c_int;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::exit;
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::{Pid, read};
use trace::Trace;

use super::cgroups::STARTED_IN;
use super::request::Request;
use crate::helper::ids;
use crate::helper::wire::{self, Wire as _};
use crate::look::{Kind, Process, cgroup, namespaces};
use crate::record::recorder::{self, Interference, Neighbor};
use crate::record::{IdMaps, budget, filter};
use crate::sys::{self, Fork};

/// The most that is read of a trace: a recorder writes less, its events and the program's
/// arguments.
const LONGEST: usize = 2 * budget::KEPT;

/// The recorder's end of the socket, and the program's.
pub(crate) fn pair() -> nix::Result<(OwnedFd, OwnedFd)> {
    let (recorders, programs) = wire::pair()?;
    setsockopt(&recorders, sockopt::PassCred, &true)?;
    Ok((recorders, programs))
}

/// In the supervisor: starts the recorder for the sandbox of this PID 1. It writes the trace, or
/// the errno for which there is none, to `trace`.
pub(crate) fn fork_recorder(
    request: &Request,
    socket: OwnedFd,
    trace: OwnedFd,
    (init, init_pidfd): (Pid, &OwnedFd),
) -> nix::Result<()> {
    let user = namespaces::open(init_pidfd, init, Kind::User)?;
    // SAFETY: this process has one thread.
    if let Fork::Child = unsafe { sys::fork_into(0) }? {
        // The check waits for the end of pipes whose other ends are still open in the supervisor.
        let keep = [socket.as_raw_fd(), trace.as_raw_fd(), user.as_raw_fd()];
        _ = sys::close_from_except(3, &keep);
        let text = follow(request, socket, user, init, &trace);
        // If the reader is gone, the write below fails. Until now a signal was needed for that.
        _ = fcntl(&trace, FcntlArg::F_SETFL(OFlag::empty()));
        _ = File::from(trace).write_all(&text.to_bytes());
        exit(0)
    }
    Ok(())
}

/// In the recorder.
fn follow(
    request: &Request,
    socket: OwnedFd,
    user: OwnedFd,
    init: Pid,
    trace: &OwnedFd,
) -> nix::Result<String> {
    // The supervisor ignores SIGCHLD, so the kernel reaps its children. A recorder must see its
    // tracees end.
    // SAFETY: the kernel's own disposition, no handler runs.
    _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    // The name in ps(1).
    _ = nix::sys::prctl::set_name(c"recorder");
    // From here on this process has capabilities in the sandbox's user namespace and no others.
    setns(&user, CloneFlags::CLONE_NEWUSER)?;
    drop(user);
    ids::set_ids([0, 0])?;
    // It ends when its last tracee has ended. If it waits for something else, the end of the
    // supervisor or of the reader ends it.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    end_with_the_reader(trace);

    let message = wire::receive(socket.as_fd())?.ok_or(Errno::EPIPE)?;
    let program = message.sender.map(|sender| Pid::from_raw(sender.pid())).ok_or(Errno::ESRCH)?;
    let neighbors = Vec::<(String, i32)>::from_bytes(&message.bytes).unwrap_or_default();
    let attached = recorder::attach(program);
    wire::send(socket.as_fd(), &attached.to_bytes(), &[])?;
    drop(socket);
    attached?;
    let staged = on_this_machine(init, &neighbors);
    let words = request.words(&neighbors).into_iter();
    let command = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let interference = Interference {
        maps: request.id_maps.clone(),
        pid_1: request.holds_pid_1,
        holds: request.holds,
        command: request.witness.clone(),
    };
    // The program starts one level below the uppermost cgroup of its lab.
    let cgroup = cgroup::path_of_pid(program).ok().filter(|_| request.cgroups);
    let top = cgroup.and_then(|path| path.strip_suffix(STARTED_IN).map(str::to_owned));
    Ok(recorder::record(program, command, &staged, interference, top))
}

/// The check has no pidfd of the recorder. It closes its end of the pipe when it stops waiting, and
/// the kernel then sends a signal to the owner of the other end (fcntl(2), `O_ASYNC`). The end of a
/// tracer ends its tracees.
fn end_with_the_reader(trace: &OwnedFd) {
    /// `include/uapi/asm-generic/fcntl.h`; libc does not have it.
    const F_SETSIG: c_int = 10;
    let fd = trace.as_raw_fd();
    // SAFETY: both take a number. The owner is this process, which keeps its ids from here on.
    unsafe {
        libc::fcntl(fd, libc::F_SETOWN, Pid::this().as_raw());
        libc::fcntl(fd, F_SETSIG, libc::SIGKILL);
    }
    // A kernel without this leaves the recorder running until it has something to write.
    _ = fcntl(trace, FcntlArg::F_SETFL(OFlag::O_ASYNC));
}

/// The neighbors with their pids here. They know only those inside.
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

/// In the program's process, last before its exec: asks for the recorder, and then installs the
/// filter that stops at the calls of a trace. If the recorder could not attach, the program runs
/// unrecorded.
pub(crate) fn ask(socket: &OwnedFd, neighbors: &[(String, i32)], maps: &IdMaps) -> nix::Result<()> {
    wire::send(socket.as_fd(), &neighbors.to_vec().to_bytes(), &[])?;
    match wire::receive(socket.as_fd())? {
        Some(answer) if nix::Result::from_bytes(&answer.bytes) == Some(Ok(())) => {
            filter::install(maps)
        }
        _ => Ok(()),
    }
}

/// Why there is no trace of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTrace {
    /// [`super::Sandbox::record`] was not called.
    NotRecorded,
    /// This machine did not let the recorder trace the program (ptrace(2)). It ran all the same.
    Refused(Errno),
    /// The recorder was killed, or had not come to an end in time.
    Lost,
}

impl fmt::Display for NoTrace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            NoTrace::NotRecorded => write!(f, "the run was not recorded"),
            NoTrace::Refused(errno) => {
                write!(f, "ptrace(PTRACE_SEIZE): {} (os error {})", errno.desc(), *errno as i32)
            }
            NoTrace::Lost => write!(f, "the recorder did not come to an end"),
        }
    }
}

/// In the check: reads the trace of a run whose processes have ended.
pub(crate) fn trace_from(pipe: OwnedFd, deadline: Instant) -> Result<Trace, NoTrace> {
    let bytes = read_to_end(pipe, deadline).ok_or(NoTrace::Lost)?;
    let text = nix::Result::<String>::from_bytes(&bytes).ok_or(NoTrace::Lost)?;
    Trace::from_json_lines(&text.map_err(NoTrace::Refused)?).map_err(|_| NoTrace::Lost)
}

/// What the recorder has written, if it closes the pipe by `deadline` and has written no more than
/// a trace can be. A busy program keeps the recorder busy.
fn read_to_end(pipe: OwnedFd, deadline: Instant) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while bytes.len() <= LONGEST {
        match sys::await_readable(&pipe, deadline.saturating_duration_since(Instant::now())) {
            Err(Errno::EINTR) => continue,
            Ok(true) => {}
            _ => return None,
        }
        match read(&pipe, &mut buffer).ok()? {
            0 => return Some(bytes),
            length => bytes.extend(&buffer[..length]),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{pipe, write};
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[test]
    fn a_trace_is_read_to_its_end_and_no_further() {
        let (trace, recorder) = pipe().unwrap();
        write(&recorder, b"a trace").unwrap();
        drop(recorder);
        assert_eq!(read_to_end(trace, soon()).as_deref(), Some(&b"a trace"[..]));
        let (trace, recorder) = pipe().unwrap();
        write(&recorder, b"a trace that").unwrap();
        assert_eq!(read_to_end(trace, soon()), None, "it has no end");
        let (trace, recorder) = pipe().unwrap();
        let writer = std::thread::spawn(move || while write(&recorder, &[b' '; 4096]).is_ok() {});
        let patient = Instant::now() + Duration::from_secs(60);
        assert_eq!(read_to_end(trace, patient), None, "it is too long");
        writer.join().unwrap();
    }

    #[test]
    fn a_refusal_is_no_trace_and_half_an_answer_is_lost() {
        let read = |bytes: &[u8]| {
            let (pipe, recorder) = pipe().unwrap();
            write(&recorder, bytes).unwrap();
            drop(recorder);
            trace_from(pipe, soon()).map(drop)
        };
        let refused = nix::Result::<String>::Err(Errno::EPERM).to_bytes();
        assert_eq!(read(&refused), Err(NoTrace::Refused(Errno::EPERM)));
        assert_eq!(read(&refused[..9]), Err(NoTrace::Lost));
        assert_eq!(read(b""), Err(NoTrace::Lost));
    }
}
