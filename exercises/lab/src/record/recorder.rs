//! The recorder: a process of the harness that follows a program and all that it starts.
//!
//! It is their tracer (ptrace(2)). A filter in the program ([`super::filter`]) stops a task at the
//! calls of a trace; all others run at full speed. The recorder lives outside the sandbox's PID
//! namespace, where no process inside can see or signal it, and in the sandbox's outer user
//! namespace, which gives it rights over the program and over nothing else.
//!
//! A program can notice that it has a tracer (`TracerPid`), so that no other can trace it, and that the
//! recorded calls take longer.

use std::collections::HashSet;
use std::ffi::c_int;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::budget::Budget;
use super::calls::{self, Call, Meaning};
use super::filter::MARK;
use super::id_maps::{self, Held, IdMaps};
use super::observe::Observer;
use super::ptrace::{self, At, Stop};
use super::why::{self, Caller};
use crate::env::patience;
use crate::look::{Fields, Kind};
use trace::{Argument, Change, Errno, Event, Exit, Outcome};

/// A process that is there when the program starts, and is not followed.
pub(crate) struct Neighbor {
    pub(crate) pid: Pid,
    pub(crate) name: String,
}

/// Becomes the tracer of a process that is about to become the program.
///
/// # Errors
///
/// `EPERM` where this machine forbids it (Yama's `ptrace_scope` 3, a seccomp filter), or where the
/// process has a tracer.
pub(crate) fn attach(program: Pid) -> nix::Result<()> {
    ptrace::seize(program)
}

/// Follows `program`, which [`attach`] has seized, until all of its tasks have ended. Returns the
/// trace as JSON Lines.
pub(crate) fn record(
    program: Pid,
    command: Vec<String>,
    neighbors: &[Neighbor],
    interference: Interference,
    top: Option<String>,
) -> String {
    let seen = Observer::new(Budget::new(command), top);
    let mut recorder = Recorder { seen, interference, held: Vec::new(), new: HashSet::new() };
    recorder.seen.tasks.add(program, None);
    let mut started = false;
    while let Ok(stop) = ptrace::wait(recorder.held.is_empty()) {
        recorder.free();
        let Some((pid, stop)) = stop else { continue };
        if !started && matches!(stop, Stop::Event(libc::PTRACE_EVENT_EXEC, _)) {
            // The program's own exec: the trace begins.
            started = true;
            recorder.begin(program, neighbors);
            recorder.go_on(pid, 0);
        } else {
            recorder.take(pid, stop);
        }
    }
    recorder.seen.budget.finish()
}

/// What the recorder does more than look.
pub(crate) struct Interference {
    /// What becomes of an id map.
    pub(crate) maps: IdMaps,
    /// The first process of a new PID namespace runs only when a signal has been sent to it.
    pub(crate) pid_1: bool,
    /// Those that are held until all others wait, and while one of them executes [`Self::command`]: a process
    /// when it has made a child, or a new task before it has run.
    pub(crate) holds: Holds,
    pub(crate) command: String,
}

/// One side of a race with the start of COMMAND.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Holds {
    #[default]
    Nothing,
    /// Each process that has made a child, and each new thread.
    Parents,
    /// Each new process and each new thread.
    Children,
}

/// Makes an event of each stop that is one.
struct Recorder {
    seen: Observer,
    interference: Interference,
    held: Vec<Held>,
    /// Those that are to be held as soon as they have stopped for the first time.
    new: HashSet<Pid>,
}

impl Recorder {
    /// Event 0: the world that the program finds.
    fn begin(&mut self, program: Pid, neighbors: &[Neighbor]) {
        let mut changes = Vec::new();
        self.seen.introduce(program, None, &mut changes);
        let call = self.seen.tasks.get_mut(program).and_then(|task| task.call.take());
        if let Some(Call { meaning: Meaning::Exec(name), .. }) = call {
            changes.push(Change::Program { task: 1, name });
        }
        self.seen.look(program, &mut changes);
        self.seen.settings(program, &mut changes);
        self.seen.look_at_mounts(&mut changes);
        self.seen.look_at_places(program, &mut changes);
        self.seen.look_at_links(&mut changes);
        for Neighbor { pid, name } in neighbors {
            let task = self.seen.tasks.add(*pid, None).number;
            self.seen.introduce(*pid, None, &mut changes);
            changes.push(Change::Program { task, name: name.clone() });
        }
        for neighbor in neighbors {
            self.seen.tasks.remove(neighbor.pid);
        }
        let start = Event::new(1, "start", Vec::new(), Outcome::Never, changes);
        self.push(Event { text: "the program starts".to_owned(), ..start });
    }

    fn take(&mut self, pid: Pid, stop: Stop) {
        match stop {
            Stop::Ended(how) => self.gone(pid, how),
            Stop::Event(event, message) => self.event(pid, event, message),
            Stop::Call => {
                self.at_call(pid);
                let call = self.seen.tasks.get(pid).and_then(|task| task.call.as_ref());
                let is_held = match call.map(|call| &call.meaning) {
                    Some(Meaning::Write { file, .. }) => self.interference.maps.at_write(pid, file),
                    _ => false,
                };
                if is_held {
                    self.held.push(Held::new(pid, id_maps::WRITER));
                } else {
                    self.go_on(pid, 0);
                }
            }
            // Nothing of it is left to follow.
            Stop::Signal(signal) if self.faults_for_good(pid, signal) => {
                self.gone(pid, Exit::Killed(signal));
                ptrace::let_go(pid);
            }
            Stop::Signal(signal) => {
                let signal = if self.stops_init(pid, signal) { 0 } else { signal };
                self.go_on(pid, signal);
            }
            Stop::Halt(None) if self.seen.tasks.get(pid).is_none() => {
                _ = self.seen.tasks.early.insert(pid);
            }
            Stop::Halt(None) => self.start(pid),
            Stop::Halt(Some(_)) => ptrace::stay_stopped(pid),
        }
    }

    fn event(&mut self, pid: Pid, event: c_int, message: u64) {
        match event {
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                let child = Pid::from_raw(message as i32);
                self.born(pid, child);
                if self.interference.holds == Holds::Parents && !self.seen.tasks.is_thread(child) {
                    return self.held.push(Held::new(pid, id_maps::PARENT));
                }
            }
            libc::PTRACE_EVENT_EXEC => self.executed(pid, Pid::from_raw(message as i32)),
            // It is about to end, and can still be looked at.
            libc::PTRACE_EVENT_EXIT => self.end(pid, ptrace::exit_in(message as c_int)),
            // The message is what the filter answered; the program may have filters of its own.
            libc::PTRACE_EVENT_SECCOMP if message == u64::from(MARK) => self.enters(pid),
            _ => {}
        }
        self.go_on(pid, 0);
    }

    /// Lets a task run, after it has received `signal` (0 for none), to its next stop that matters.
    fn go_on(&self, pid: Pid, signal: c_int) {
        let task = self.seen.tasks.get(pid);
        let every_call = task.is_some_and(|task| task.call.is_some() || task.writes);
        ptrace::resume(pid, every_call, signal);
    }

    /// Lets those tasks go on that have been held long enough.
    fn free(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let is_held = |pid: &Pid| self.held.iter().any(|held| held.pid == *pid);
        let alive = self.seen.tasks.alive().into_iter().map(|(pid, _)| pid);
        let others: Vec<Pid> = alive.filter(|pid| !is_held(pid)).collect();
        let runs = self.interference.holds != Holds::Nothing
            && others.iter().any(|pid| executes(*pid, &self.interference.command));
        // The newest first, because that is the one for COMMAND where another has been made to help. What a
        // thread does comes before what its process does next, which may be to end.
        let number = |pid: Pid| self.seen.tasks.get(pid).map(|task| task.number);
        let new = self.held.iter().filter(|held| held.is_new).map(|held| held.pid);
        let newest = new.max_by_key(|pid| number(*pid));
        for mut held in std::mem::take(&mut self.held) {
            let is_next = newest.is_none_or(|newest| newest == held.pid);
            if is_next && held.is_over(&others) && !runs {
                self.go_on(held.pid, 0);
            } else {
                self.held.push(held);
            }
        }
    }

    /// A task has stopped at the entry of a recorded call.
    fn enters(&mut self, pid: Pid) {
        let Ok(At::Filter { number, arguments }) = ptrace::call(pid) else { return };
        if self.interference.maps == IdMaps::Held {
            id_maps::skip_sleep(pid, number, &arguments);
        }
        let Some(call) = calls::decode(pid, number, &arguments) else { return };
        if let Meaning::Child(flags) = call.meaning {
            keep_its_child(pid, number, arguments[0], flags);
        }
        if let Some(task) = self.seen.tasks.get_mut(pid) {
            task.call = Some(call);
        }
    }

    /// A task that stops at every call is at the entry or the return of one.
    fn at_call(&mut self, pid: Pid) {
        let (at, Some(task)) = (ptrace::call(pid), self.seen.tasks.get_mut(pid)) else { return };
        match at {
            Ok(At::Entry { number, arguments }) if task.writes && task.call.is_none() => {
                task.call = calls::decode_write(pid, number, &arguments);
            }
            Ok(At::Return(value)) => {
                if let Some(call) = task.call.take() {
                    self.returns(pid, call, value);
                }
                if let Some(task) = self.seen.tasks.get_mut(pid)
                    && task.writes
                {
                    task.writes = calls::has_a_followed_file(pid);
                }
            }
            _ => {}
        }
    }

    /// A recorded call has returned.
    fn returns(&mut self, pid: Pid, mut call: Call, value: i64) {
        // -ERESTARTNOINTR: the kernel makes the call once more, without returning to the program.
        const RESTARTED: i64 = -513;
        if value == RESTARTED {
            return;
        }
        if self.seen.budget.is_full() {
            return self.seen.budget.drop_event();
        }
        let Some(task) = self.seen.tasks.get_mut(pid) else { return };
        if call.meaning == Meaning::Open && value >= 0 {
            // The write will be an event, but the opening is not.
            task.writes = true;
            return;
        }
        let number = task.number;
        match (&call.meaning, &mut call.arguments[..]) {
            (Meaning::Setns { fd, .. }, [Argument::Descriptor { target, .. }, ..]) => {
                *target = self.seen.target(pid, *fd);
            }
            (Meaning::Write { .. }, [path, ..]) => self.seen.with_self(pid, path),
            _ => {}
        }
        let mut changes = Vec::new();
        let outcome = if value < 0 {
            let errno = Errno::from_raw(-value as i32);
            let caller = Caller::of(pid, &self.seen.tasks, &self.seen.names);
            Outcome::Error { errno, why: caller.and_then(|it| why::explain(&it, &call, errno)) }
        } else {
            self.effects(pid, &call.meaning, value, &mut changes);
            Outcome::Value(value)
        };
        let event = Event::new(number, call.name, call.arguments, outcome, changes);
        match (&call.meaning, self.seen.tasks.get_mut(pid)) {
            (Meaning::Exec(_), Some(task)) if value == -i64::from(libc::ENOENT) => {
                task.search = Some(event);
            }
            _ => {
                self.push_search(pid);
                self.push(event);
            }
        }
    }

    /// What a call that succeeded has changed. `value` is what it has returned.
    fn effects(&mut self, pid: Pid, meaning: &Meaning, value: i64, changes: &mut Vec<Change>) {
        match meaning {
            // Other flags (`CLONE_FS`, `CLONE_FILES`) are about no namespace.
            Meaning::Unshare(flags) if flags & calls::NAMESPACES == 0 => {}
            Meaning::Unshare(_) | Meaning::Setns { .. } => {
                self.seen.look(pid, changes);
                self.seen.look_at_mounts(changes);
                self.seen.look_at_places(pid, changes);
            }
            Meaning::Mounts(_) | Meaning::Chroot => {
                self.seen.look_at_mounts(changes);
                self.seen.look_at_places(pid, changes);
            }
            Meaning::Socket => self.seen.look_at_socket(pid, value as i32, changes),
            Meaning::HostName(name) => {
                let task = self.seen.tasks.get(pid);
                if let Some(namespace) = task.and_then(|task| task.namespaces.get(&Kind::Uts)) {
                    let (namespace, name) = (*namespace, name.clone());
                    changes.push(Change::HostName { namespace, name });
                }
            }
            Meaning::Write { file, bytes } => self.seen.written(pid, file, bytes, changes),
            Meaning::Child(_)
            | Meaning::Exec(_)
            | Meaning::Open
            | Meaning::Ptrace
            | Meaning::Other => {}
        }
    }

    /// `maker` has made a task. Its event comes before everything that the new task does.
    fn born(&mut self, maker: Pid, pid: Pid) {
        self.push_search(maker);
        let Some(parent) = self.seen.tasks.get_mut(maker) else { return };
        let call = parent.call.take();
        let flags = match call.as_ref().map(|call| &call.meaning) {
            Some(Meaning::Child(flags)) => *flags,
            _ => 0,
        };
        let (number, process, level) = (parent.number, parent.process, parent.pids.len());
        // The new task has a copy of its maker's descriptors.
        let (writes, capabilities) = (parent.writes, parent.capabilities);
        let (root, directory) = (parent.root.clone(), parent.directory.clone());
        let cgroup = parent.cgroup.clone();
        let thread = flags & libc::CLONE_THREAD as u64 != 0;
        let task = self.seen.tasks.add(pid, thread.then_some(process));
        (task.writes, task.capabilities) = (writes, capabilities);
        (task.root, task.directory, task.cgroup) = (root, directory, cgroup);

        let mut changes = Vec::new();
        self.seen.introduce(pid, Some(number), &mut changes);
        self.seen.look(pid, &mut changes);
        self.seen.look_at_children_of(maker, &mut changes);
        if flags & libc::CLONE_NEWNS as u64 != 0 {
            self.seen.look_at_mounts(&mut changes);
        }
        self.seen.look_at_places(pid, &mut changes);
        // The pid as the maker sees it.
        let value = self.seen.tasks.get(pid).and_then(|task| task.pids.get(level.checked_sub(1)?));
        let outcome = Outcome::Value(value.copied().unwrap_or_default().into());
        let (name, arguments) =
            call.map_or(("clone", Vec::new()), |call| (call.name, call.arguments));
        self.push(Event::new(number, name, arguments, outcome, changes));
        let pids = self.seen.tasks.get(pid).map(|task| task.pids.as_slice());
        if self.interference.pid_1 && pids.is_some_and(|pids| pids.last() == Some(&1)) {
            await_a_signal(pid);
        }
        let is_held = match self.interference.holds {
            Holds::Nothing => false,
            Holds::Parents => thread,
            Holds::Children => true,
        };
        if is_held {
            self.new.insert(pid);
        }
        if self.seen.tasks.early.remove(&pid) {
            self.start(pid);
        }
    }

    /// Lets a task run that has stopped by itself, as each new one does.
    fn start(&mut self, pid: Pid) {
        if self.new.remove(&pid) {
            self.held.push(Held::new_task(pid));
        } else {
            self.go_on(pid, 0);
        }
    }

    /// `pid` executes another program. If a thread other than the first has called execve(2), it
    /// takes over the pid of the process, and `former` is the id that it had.
    fn executed(&mut self, pid: Pid, former: Pid) {
        let asked = if former == pid { None } else { self.seen.tasks.remove(former) };
        let Some(task) = self.seen.tasks.get_mut(pid) else { return };
        let call = asked.and_then(|task| task.call).or_else(|| task.call.take());
        task.call = None;
        task.search = None;
        task.writes = false;
        let number = task.number;
        let mut changes = Vec::new();
        let (name, arguments) = match call {
            Some(Call { name, arguments, meaning: Meaning::Exec(program), .. }) => {
                changes.push(Change::Program { task: number, name: program });
                (name, arguments)
            }
            _ => ("execve", Vec::new()),
        };
        // An exec changes capabilities, and moves the task into its `time_for_children`.
        self.seen.look(pid, &mut changes);
        self.seen.look_at_places(pid, &mut changes);
        self.seen.look_at_links(&mut changes);
        self.seen.look_at_waits(&mut changes);
        self.push(Event::new(number, name, arguments, Outcome::Never, changes));
    }

    fn end(&mut self, pid: Pid, how: Exit) {
        self.push_search(pid);
        let Some(task) = self.seen.tasks.get_mut(pid).filter(|task| !task.ended) else { return };
        task.ended = true;
        let (task, unfinished) = (task.number, task.call.take());
        if let Some(call) = unfinished {
            // The call will not return any more.
            self.push(Event::new(task, call.name, call.arguments, Outcome::Never, Vec::new()));
        }
        let mut changes = vec![Change::Ended { task, how }];
        self.seen.look_at_links(&mut changes);
        self.seen.look_at_waits(&mut changes);
        self.push(match how {
            Exit::Exited(code) => {
                let arguments = vec![Argument::Number(code.into())];
                Event::new(task, "exit", arguments, Outcome::Never, changes)
            }
            Exit::Killed(_) | Exit::Unseen => {
                let event = Event::new(task, "end", Vec::new(), Outcome::Never, changes);
                Event { text: how.to_string(), ..event }
            }
        });
    }

    /// A task has ended and been waited for, so its pid is free.
    fn gone(&mut self, pid: Pid, how: Exit) {
        self.end(pid, how);
        self.seen.tasks.bury(pid);
        self.seen.tasks.early.remove(&pid);
        // A task that is killed while it makes a child never reports the child.
        for child in std::mem::take(&mut self.seen.tasks.early) {
            let task = self.seen.tasks.add(child, None).number;
            let mut changes = Vec::new();
            self.seen.introduce(child, None, &mut changes);
            let event = Event::new(task, "clone", Vec::new(), Outcome::Never, changes);
            self.push(Event { text: "the task that made it was killed".to_owned(), ..event });
            self.go_on(child, 0);
        }
    }

    /// Whether it is a SIGSTOP from inside for a PID 1. The kernel ignores it if the process has no
    /// tracer, but a traced one would stop for good (`SIGNAL_UNKILLABLE` in kernel/signal.c).
    fn stops_init(&self, pid: Pid, signal: c_int) -> bool {
        signal == libc::SIGSTOP
            && self.seen.tasks.get(pid).is_some_and(|task| task.pids.last() == Some(&1))
            && ptrace::sender(pid).is_some_and(|sender| sender != 0)
    }

    /// Whether it is the signal of a fault, such as SIGSEGV, in a PID 1 that has no handler for it. The kernel ends
    /// the process by that signal if it has no tracer, but lets a traced one go on, which repeats the instruction
    /// and faults for ever (`force_sig_info_to_task` in kernel/signal.c).
    fn faults_for_good(&self, pid: Pid, signal: c_int) -> bool {
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE].contains(&signal)
            && self.seen.tasks.get(pid).is_some_and(|task| task.pids.last() == Some(&1))
            && ptrace::is_from_the_kernel(pid)
            && !has_a_handler(pid, signal)
    }

    /// A failed search for a program becomes an event when the task does something else.
    fn push_search(&mut self, pid: Pid) {
        if let Some(event) = self.seen.tasks.get_mut(pid).and_then(|task| task.search.take()) {
            self.push(event);
        }
    }

    fn push(&mut self, mut event: Event) {
        if !self.seen.budget.is_full() {
            self.seen.names.host_names(&mut event.changes);
        }
        self.seen.budget.keep(&event);
    }
}

/// Whether a process handles a signal (`SigCgt` in proc_pid_status(5)).
fn has_a_handler(pid: Pid, signal: c_int) -> bool {
    let caught = Fields::status(pid).and_then(|status| status.bits("SigCgt"));
    caught.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Waits until a signal is pending for a process. It is not running: a new task is stopped from the
/// beginning, and goes on when its tracer lets it.
fn await_a_signal(pid: Pid) {
    let deadline = Instant::now() + patience();
    let is_pending = |status: Fields| status.bits("ShdPnd").is_some_and(|set| set != 0);
    while Instant::now() < deadline && !Fields::status(pid).is_none_or(is_pending) {
        sleep(Duration::from_millis(1));
    }
}

/// Whether a task executes a file of this name, wherever that is for the task.
fn executes(pid: Pid, path: &str) -> bool {
    let link = std::fs::read_link(format!("/proc/{pid}/exe"));
    link.is_ok_and(|link| link.file_name() == Path::new(path).file_name())
}

/// Removes `CLONE_UNTRACED` from a call. With the flag the child would have no tracer, so that each of
/// its recorded calls would fail.
fn keep_its_child(pid: Pid, number: libc::c_long, first: u64, flags: u64) {
    let untraced = libc::CLONE_UNTRACED as u64;
    if flags & untraced == 0 {
        return;
    }
    _ = if number == libc::SYS_clone3 {
        ptrace::write_word(pid, first, flags & !untraced)
    } else {
        ptrace::set_first_argument(pid, first & !untraced)
    };
}
