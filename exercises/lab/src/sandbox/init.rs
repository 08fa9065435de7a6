//! PID 1 of a sandbox: builds the world, starts the program in a second level of namespaces,
//! reaps, and takes everything down by its own end.
//!
//! Two levels, because a program that has CAP_SYS_ADMIN in the namespace that made the read-only
//! mounts can undo them. Mounts that a mount namespace of a new user namespace inherits are locked
//! (mount_namespaces(7)).

use std::fs;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::exit;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, read, setsid};

use super::limits::{self, KernelMemory};
use super::message::{Ended, Excess, Message, Status, fail};
use super::request::State;
use super::root::Trees;
use super::setup::Setup;
use super::{lab, launch};
use crate::helper::ids;
use crate::helper::refusal::{Refusal, Stage, refused};
use trace::flag_names;

use crate::sys::{self, Fork};

/// How often PID 1 looks at what its processes use.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn main(setup: &Setup, shown: Vec<Option<OwnedFd>>, go: OwnedFd) -> ! {
    match live(setup, shown, go) {
        Ok(()) => exit(0),
        Err(error) => {
            fail(&setup.report, error);
            exit(1)
        }
    }
}

fn live(setup: &Setup, shown: Vec<Option<OwnedFd>>, go: OwnedFd) -> Result<(), Refusal> {
    let request = &setup.request;
    let liveness = setup.fds.liveness.as_fd();
    // The supervisor writes one byte when the maps are there; otherwise it has told why, and that
    // is told alone.
    if read(&go, &mut [0]) != Ok(1) {
        exit(1);
    }
    drop(go);
    ids::set_ids(0).map_err(refused(Stage::Map, "setresuid(0, 0, 0)"))?;
    die_with_the_check(liveness);
    // What ps(1) and lsns(8) call us.
    _ = nix::sys::prctl::set_name(c"init");
    // No terminal of this machine is ours to type into.
    _ = setsid();
    // Children are reaped here. The signal is blocked before the first child exists.
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    // SAFETY: the kernel's own disposition, no handler runs.
    _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    _ = children.thread_block();
    let ends = SignalFd::with_flags(&children, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(refused(Stage::Inner, "signalfd(SIGCHLD)"))?;

    // Making namespaces and building a root take about as long: both at once.
    let program = fork_program(setup)?;
    Trees::take(request, shown)?.build(request)?;
    if request.state == State::PlainUser {
        lab::configure(request)?;
        lab::disable_forwarding(request);
    }
    let program = program.start(setup)?;
    // A PID 1 that cannot see who is there vouches for nothing: its own end is theirs.
    let before = KernelMemory::now();
    let ended = watch(&program, liveness, &ends, before)
        .map_err(refused(Stage::Start, "open(\"/proc\")"))?;
    _ = ended.send(setup.report.as_fd(), &[]);
    // The check may still want to look at what the program left. That goes on, within its limits.
    // Our end is everybody's.
    let look = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::MAX);
    while !hung_up(liveness, look) && excess(before).is_ok_and(|excess| excess.is_none()) {}
    Ok(())
}

/// Two guards, because each alone has a gap: the parent-death signal is lost when ids change (so
/// it is set after that), and says nothing when the parent was gone before; the pipe has no gap
/// but needs somebody to poll it.
fn die_with_the_check(liveness: BorrowedFd) {
    _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    if hung_up(liveness, PollTimeout::ZERO) {
        exit(1);
    }
}

fn hung_up(liveness: BorrowedFd, timeout: PollTimeout) -> bool {
    poll(&mut [PollFd::new(liveness, PollFlags::POLLIN)], timeout).is_ok_and(|ready| ready > 0)
}

/// The program, and the neighbors beside it, as children of PID 1.
struct Program {
    pid: Pid,
    neighbors: Vec<i32>,
}

/// The program's process before its exec, in the second user namespace. It makes the other
/// namespaces by itself, the mount namespace last: that is a copy of ours, and ours is not ready.
struct Forked {
    pid: Pid,
    /// One byte when the root is built, and one when there is nothing else to prepare.
    go: OwnedFd,
    /// The neighbors' pids. It is close-on-exec: its end is the exec.
    told: fs::File,
}

fn fork_program(setup: &Setup) -> Result<Forked, Refusal> {
    let stage = Stage::Inner;
    let pipe = || {
        nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(refused(stage, "pipe2(O_CLOEXEC)"))
    };
    let ((wait, go), (told, tell)) = (pipe()?, pipe()?);
    // The user namespace now: while our root changes, the kernel would take the child for one in a
    // chroot, and refuse (user_namespaces(7)).
    let flags = libc::CLONE_NEWUSER;
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(flags) }.map_err(refused(stage, flag_names("clone", flags)))? {
        Fork::Child => {
            drop((go, told));
            launch::main(setup, wait, tell)
        }
        Fork::Parent { pid, .. } => {
            // It makes namespaces while we build the root: not in turn.
            sys::move_away(pid);
            Ok(Forked { pid, go, told: told.into() })
        }
    }
}

impl Forked {
    fn start(mut self, setup: &Setup) -> Result<Program, Refusal> {
        let request = &setup.request;
        if request.many_ids {
            // It maps one id by itself. More are ours to give.
            let count = if request.state == State::RootLab { ids::MANY } else { 1 };
            ids::map_many(self.pid, request.state.id(), 0, 0, count)?;
        }
        _ = nix::unistd::write(&self.go, b"r");
        limits::on_namespaces();
        // The program's user has our id outside. Undumpable, our /proc entry is closed to it
        // (proc(5)).
        _ = nix::sys::prctl::set_dumpable(false);
        _ = nix::unistd::write(&self.go, b"p");
        let mut bytes = Vec::new();
        self.told
            .read_to_end(&mut bytes)
            .map_err(refused(Stage::Inner, "read(the start of the program)"))?;
        let pids =
            bytes.chunks_exact(4).map(|pid| i32::from_le_bytes([pid[0], pid[1], pid[2], pid[3]]));
        let neighbors = pids.collect();
        _ = Message::Started.send(setup.report.as_fd(), &[]);
        Ok(Program { pid: self.pid, neighbors })
    }
}

/// Reaps until the program has ended, or uses more than it may.
fn watch(
    program: &Program,
    liveness: BorrowedFd,
    ends: &SignalFd,
    before: KernelMemory,
) -> std::io::Result<Message> {
    let mut reaped = Reaped::default();
    let mut stopped = None;
    let mut looked = Instant::now();
    while reaped.status.is_none() && stopped.is_none() {
        let mut ready = [
            PollFd::new(liveness, PollFlags::POLLIN),
            PollFd::new(ends.as_fd(), PollFlags::POLLIN),
        ];
        let timeout = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::MAX);
        match poll(&mut ready, timeout) {
            Ok(1..) if ready[0].any() == Some(true) => exit(0),
            Ok(_) | Err(_) => while let Ok(Some(_)) = ends.read_signal() {},
        }
        reaped.take(program);
        // By the clock: children that end all the time must not keep us from looking.
        if reaped.status.is_none() && looked.elapsed() >= LOOK {
            stopped = excess(before)?;
            looked = Instant::now();
        }
    }
    let mut left_running = Vec::new();
    if !reaped.all {
        // A program that forks until it is refused may end before we look again.
        stopped = stopped.or(excess(before)?);
        left_running = limits::others(&program.neighbors)?;
        // Whoever has ended since is not running, and was not waited for either.
        reaped.take(program);
    }
    left_running.retain(|(pid, _)| *pid != program.pid.as_raw());
    let ended = Ended {
        status: reaped.status.unwrap_or(Status::Killed(libc::SIGKILL)),
        orphaned: reaped.orphaned,
        left_running: left_running.into_iter().map(|(_, name)| name).collect(),
    };
    Ok(Message::Ended(ended, stopped))
}

/// What waitpid(2) has told PID 1.
#[derive(Default)]
struct Reaped {
    /// The program's, when it has ended.
    status: Option<Status>,
    /// Children of the program, or further down, that became ours by its end.
    orphaned: u64,
    /// Nobody is left: whoever is would be a child of ours by now, or below one.
    all: bool,
}

impl Reaped {
    // ANCHOR: reap
    /// Takes the status of everybody who has ended.
    fn take(&mut self, program: &Program) {
        const NOBODY: Pid = Pid::from_raw(0);
        loop {
            let mut status = 0;
            // __WALL: a program may choose another signal than SIGCHLD for the end of a child.
            let options = libc::WNOHANG | libc::__WALL;
            // Not through nix: its signals lack the real-time ones, and the status would be lost.
            // SAFETY: the kernel writes one int.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, options) };
            let pid = match Errno::result(pid).map(Pid::from_raw) {
                Ok(NOBODY) => return,
                Ok(pid) => pid,
                Err(Errno::ECHILD) => {
                    self.all = true;
                    return;
                }
                Err(_) => continue,
            };
            let ended = if libc::WIFSIGNALED(status) {
                Status::Killed(libc::WTERMSIG(status))
            } else {
                Status::Exited(libc::WEXITSTATUS(status))
            };
            if pid == program.pid {
                self.status = Some(ended);
            } else if !program.neighbors.contains(&pid.as_raw()) {
                self.orphaned += 1;
            }
        }
    }
    // ANCHOR_END: reap
}

/// What there is too much of.
fn excess(before: KernelMemory) -> std::io::Result<Option<Excess>> {
    let usage = limits::usage()?;
    Ok(if usage.memory > limits::MEMORY || before.has_grown_too_much() {
        Some(Excess::Memory)
    } else if usage.processes + 2 >= limits::PROCESSES {
        Some(Excess::Processes)
    } else {
        None
    })
}
