//! PID 1 of a sandbox: builds the root directory, starts the program in a second level of
//! namespaces, reaps, and by its own end kills every process inside.
//!
//! There are two levels because a program that has CAP_SYS_ADMIN in the user namespace that made
//! the read-only mounts could undo them. In the mount namespace of another user namespace these
//! mounts are locked (mount_namespaces(7)).

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::exit;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, pipe2, read, setsid, write};
use trace::flag_names;

use super::limits::{self, KernelMemory};
use super::message::{Ended, Excess, Message, Status, fail};
use super::request::State;
use super::root::{self, Opened, Trees};
use super::setup::Setup;
use super::{lab, launch};
use crate::helper::ids;
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::sys::{self, Fork};

/// How often PID 1 measures what its processes use.
const INTERVAL: Duration = Duration::from_millis(50);

pub(crate) fn main(setup: &Setup, shown: Vec<Option<Opened>>, go: OwnedFd) -> ! {
    match live(setup, shown, go) {
        Ok(()) => exit(0),
        Err(error) => {
            fail(&setup.report, error);
            exit(1)
        }
    }
}

fn live(setup: &Setup, shown: Vec<Option<Opened>>, go: OwnedFd) -> Result<(), Refusal> {
    let request = &setup.request;
    let liveness = setup.fds.liveness.as_fd();
    // The supervisor writes one byte when the ids are mapped. If it could not map them, it has
    // reported that, and this process has nothing to add.
    if read(&go, &mut [0]) != Ok(1) {
        exit(1);
    }
    drop(go);
    ids::set_ids([0, 0]).map_err(refused(Stage::Map, "setresuid(0, 0, 0)"))?;
    die_with_the_check(liveness);
    // The name in ps(1) and lsns(8).
    _ = nix::sys::prctl::set_name(c"init");
    // Out of the session of the check, so that no process inside can type into its terminal.
    _ = setsid();
    // Children are reaped here. The signal is blocked before the first child exists.
    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    // SAFETY: the kernel's own disposition, no handler runs.
    _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    _ = children.thread_block();
    let ends = SignalFd::with_flags(&children, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(refused(Stage::Inner, "signalfd(SIGCHLD)"))?;

    // Making namespaces and building a root take about the same time, so they run side by side.
    let program = fork_program(setup)?;
    root::build(request, Trees::take(request, shown)?)?;
    if request.state == State::PlainUser {
        lab::configure(request)?;
        lab::disable_forwarding(request);
    }
    let program = program.start(setup)?;
    // If PID 1 cannot read what its processes use, it cannot enforce limits: it ends, and they with
    // it.
    let before = KernelMemory::now();
    let ended = watch(&program, liveness, &ends, before)
        .map_err(refused(Stage::Start, "open(\"/proc\")"))?;
    _ = ended.send(setup.report.as_fd(), &[]);
    // The check may still look at what the program left running, which goes on within its limits.
    while !hung_up(liveness, INTERVAL) && excess(before).is_ok_and(|excess| excess.is_none()) {}
    Ok(())
}

/// Two guards, because each alone has a gap. The parent-death signal is lost when ids change, so it
/// is set after that, and it is not sent for a parent that is gone already. The pipe has no such
/// gap, but its end is only noticed by a process that polls it.
fn die_with_the_check(liveness: BorrowedFd) {
    _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    if hung_up(liveness, Duration::ZERO) {
        exit(1);
    }
}

fn hung_up(liveness: BorrowedFd, patience: Duration) -> bool {
    sys::await_readable(liveness, patience) == Ok(true)
}

/// The program, and the neighbors beside it, as children of PID 1.
struct Program {
    pid: Pid,
    neighbors: Vec<i32>,
}

/// The program's process before its exec, in the second user namespace. It makes the other
/// namespaces itself. The mount namespace comes last, because it is a copy of PID 1's, which is
/// still being built.
struct Forked {
    pid: Pid,
    /// Takes one byte when the root is built, and one when there is nothing else to prepare.
    go: OwnedFd,
    /// Brings the neighbors' pids. The other end is close-on-exec, so an end-of-file is the exec.
    pids: File,
}

fn fork_program(setup: &Setup) -> Result<Forked, Refusal> {
    let stage = Stage::Inner;
    let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(refused(stage, "pipe2(O_CLOEXEC)"));
    let ((wait, go), (pids, tell)) = (pipe()?, pipe()?);
    // The user namespace comes first. While PID 1 changes its root, the kernel would take the child
    // for a process in a chroot, which may not make one (user_namespaces(7)).
    let flags = libc::CLONE_NEWUSER;
    // SAFETY: this process has one thread.
    match unsafe { sys::fork_into(flags) }.map_err(refused(stage, flag_names("clone", flags)))? {
        Fork::Child => {
            drop((go, pids));
            launch::main(setup, wait, tell)
        }
        Fork::Parent { pid, .. } => {
            // It makes namespaces while this process builds the root: on another processor.
            sys::move_away(pid);
            Ok(Forked { pid, go, pids: pids.into() })
        }
    }
}

impl Forked {
    fn start(mut self, setup: &Setup) -> Result<Program, Refusal> {
        let request = &setup.request;
        if request.many_ids {
            // It can map one id itself. More take the capabilities of this process.
            let count = if request.state == State::RootLab { ids::MANY } else { 1 };
            ids::map_many(self.pid, request.ids(), 0, 0, count)?;
        }
        _ = write(&self.go, b"r");
        limits::on_namespaces();
        // The program may have the same id outside. As this process is not dumpable, its files in
        // /proc belong to root and are closed to the program (proc(5)).
        _ = nix::sys::prctl::set_dumpable(false);
        _ = write(&self.go, b"p");
        let mut bytes = Vec::new();
        self.pids
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
    let mut measured = Instant::now();
    while reaped.status.is_none() && stopped.is_none() {
        let mut ready = [
            PollFd::new(liveness, PollFlags::POLLIN),
            PollFd::new(ends.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut ready, sys::poll_timeout(INTERVAL)) {
            Ok(1..) if ready[0].any() == Some(true) => exit(0),
            Ok(_) | Err(_) => while let Ok(Some(_)) = ends.read_signal() {},
        }
        reaped.take(program);
        // By the clock, because children that end all the time must not put it off.
        if reaped.status.is_none() && measured.elapsed() >= INTERVAL {
            stopped = excess(before)?;
            measured = Instant::now();
        }
    }
    let mut left_running = Vec::new();
    if !reaped.all {
        // A program that forks until that is refused may have ended before the next measurement.
        stopped = stopped.or(excess(before)?);
        left_running = limits::others(&program.neighbors)?;
        // A process that has ended since is not running, and the program has not waited for it
        // either.
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

/// What PID 1 has seen with waitpid(2).
#[derive(Default)]
struct Reaped {
    /// The program's, when it has ended.
    status: Option<Status>,
    /// Descendants of the program that became children of PID 1.
    orphaned: u64,
    /// No process is left: any other would be a child of PID 1 by now, or a descendant of one.
    all: bool,
}

impl Reaped {
    // ANCHOR: reap
    /// Takes the status of every child that has ended.
    fn take(&mut self, program: &Program) {
        const NONE: Pid = Pid::from_raw(0);
        loop {
            let mut status = 0;
            // __WALL: a program may choose another signal than SIGCHLD for the end of a child.
            let options = libc::WNOHANG | libc::__WALL;
            // Not through nix, which has no real-time signals: it would lose the status.
            // SAFETY: the kernel writes one int.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, options) };
            let pid = match Errno::result(pid).map(Pid::from_raw) {
                Ok(NONE) => return,
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

/// Which limit is exceeded.
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
