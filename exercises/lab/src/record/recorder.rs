//! The recorder: a process of the harness that follows a program and everybody it starts.
//!
//! It is the tracer (ptrace(2)) of all of them. A filter in the program ([`super::filter`]) stops
//! it at the calls of a trace; all others run at full speed. The recorder lives outside the
//! sandbox's PID namespace, where nobody inside can see or signal it, and in the sandbox's outer
//! user namespace, which gives it rights over the program and over nothing else.
//!
//! What a program can notice: it has a tracer (`TracerPid`), so it can have no other one, and the
//! recorded calls take longer.

use std::collections::{HashMap, HashSet};
use std::ffi::c_int;
use std::fs::{self, File};
use std::io::Read as _;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::calls::{self, Call, Meaning};
use super::filter::OURS;
use super::names::{self, Names};
use super::ptrace::{self, At, Stop};
use super::why::{self, Caller, Numbered};
use crate::look::process::field;
use crate::look::stat::text_of;
use crate::look::{Kind, Namespace};
use trace::{Change, Event, Link, Mount, Outcome, Trace};

/// How many events a trace keeps. A program that makes more of them does the same again and again.
const EVENTS: usize = 2000;

/// How many bytes of JSON its events may be. One call may change thousands of mounts.
pub(crate) const KEPT: usize = 4 << 20;

/// How many bytes about mounts and interfaces are read for it. Each call may make the recorder look
/// at all of them, and whoever waits for the trace waits for that.
const READ: usize = 16 << 20;

/// How many bytes of one mountinfo: some 1500 mounts. A namespace that has more is followed no
/// further.
const MOUNTINFO: usize = 256 << 10;

/// About what the kernel tells of one interface, and of how many in one namespace.
const LINK: usize = 1 << 10;
pub(super) const LINKS: usize = 500;

/// What the trace says of those that are followed no further, in the place of a setting.
const TOO_MANY: &str = "too many to be followed any further";

/// Somebody who is there when the program starts, and is not followed.
pub(crate) struct Neighbor {
    pub(crate) pid: Pid,
    pub(crate) name: String,
}

/// Follows `program`, which [`attach`] has seized, until nobody is left. The trace as JSON Lines.
pub(crate) fn record(program: Pid, command: Vec<String>, neighbors: &[Neighbor]) -> String {
    let trace = Trace { program: command, ..Trace::default() };
    let mut recorder = Recorder {
        lines: trace.opening() + "\n",
        events: 0,
        dropped: 0,
        read: 0,
        names: Names::default(),
        tasks: HashMap::new(),
        count: 0,
        early: HashSet::new(),
        mounts: HashMap::new(),
        links: HashMap::new(),
    };
    recorder.tasks.insert(program, Task::new(1, 1));
    recorder.count = 1;
    let mut started = false;
    while let Ok((pid, stop)) = ptrace::wait() {
        if !started && matches!(stop, Stop::Event(libc::PTRACE_EVENT_EXEC, _)) {
            // The program's own exec: the trace begins.
            started = true;
            let call = recorder.tasks.get_mut(&pid).and_then(|task| task.call.take());
            recorder.begin(program, call, neighbors);
            recorder.go_on(pid, 0);
            continue;
        }
        recorder.take(pid, stop);
    }
    let trace = Trace { dropped: recorder.dropped, ..Trace::default() };
    recorder.lines + &trace.ending() + "\n"
}

/// Becomes the tracer of a process that is about to become the program.
///
/// # Errors
///
/// `EPERM` where this machine forbids it (Yama's `ptrace_scope` 3, a seccomp filter), or where
/// somebody else traces it.
pub(crate) fn attach(program: Pid) -> nix::Result<()> {
    ptrace::seize(program)
}

/// What the recorder knows of one task.
struct Task {
    number: u32,
    process: u32,
    /// The recorded call that it is in.
    call: Option<Call>,
    /// It has a file open that the trace follows: it stops at every call until it has closed it.
    writes: bool,
    pids: Vec<i32>,
    /// Names by file of `/proc/TID/ns`.
    namespaces: HashMap<&'static str, String>,
    capabilities: Option<u64>,
    root: Option<String>,
    cgroup: Option<String>,
    /// An exec that found no file. Whoever searches PATH tries one folder after the other, and
    /// only the last failure matters.
    search: Option<Event>,
    ended: bool,
}

impl Task {
    fn new(number: u32, process: u32) -> Task {
        Task {
            number,
            process,
            call: None,
            writes: false,
            pids: Vec::new(),
            namespaces: HashMap::new(),
            capabilities: None,
            root: None,
            cgroup: None,
            search: None,
            ended: false,
        }
    }

    fn namespace(&self, kind: Kind) -> Option<&String> {
        self.namespaces.get(kind.name())
    }
}

struct Recorder {
    /// The trace so far, as it will be handed over: it is kept once.
    lines: String,
    events: usize,
    /// Steps that found no more room.
    dropped: u64,
    /// Bytes about mounts and interfaces.
    read: usize,
    names: Names,
    /// By pid in our PID namespace.
    tasks: HashMap<Pid, Task>,
    count: u32,
    /// New tasks that have stopped before their maker's event: they wait for it.
    early: HashSet<Pid>,
    /// The mounts of each mount namespace, as the trace has them; `None` for too many.
    mounts: HashMap<String, Option<Vec<Mount>>>,
    /// The interfaces of each network namespace; `None` for too many.
    links: HashMap<String, Option<Vec<Link>>>,
}

impl Recorder {
    /// Event 0: the world that the program finds.
    fn begin(&mut self, program: Pid, call: Option<Call>, neighbors: &[Neighbor]) {
        let mut changes = Vec::new();
        self.introduce(program, None, &mut changes);
        if let Some(Call { meaning: Meaning::Exec(name), .. }) = call {
            changes.push(Change::Program { task: 1, name });
        }
        self.look(program, &mut changes);
        if let Some(name) = self.tasks.get(&program).and_then(|task| task.namespace(Kind::User)) {
            for file in ["uid_map", "gid_map", "setgroups"] {
                let text = fs::read_to_string(format!("/proc/{program}/{file}"));
                let text = words(&text.unwrap_or_default());
                changes.push(Change::Setting { namespace: name.clone(), file: file.into(), text });
            }
        }
        self.look_at_mounts(&mut changes);
        self.look_at_links(&mut changes);
        for neighbor in neighbors {
            self.count += 1;
            self.tasks.insert(neighbor.pid, Task::new(self.count, self.count));
            self.introduce(neighbor.pid, None, &mut changes);
            let task = self.count;
            changes.push(Change::Program { task, name: neighbor.name.clone() });
        }
        for neighbor in neighbors {
            // They are not ours to follow.
            self.tasks.remove(&neighbor.pid);
        }
        let text = "the program starts".to_owned();
        self.push(Event { task: 1, call: "start".into(), text, outcome: Outcome::Never, changes });
    }

    fn take(&mut self, pid: Pid, stop: Stop) {
        match stop {
            Stop::Exited(code) => self.gone(pid, format!("exited with {code}")),
            Stop::Killed(signal) => self.gone(pid, killed_by(signal)),
            Stop::Event(event, message) => self.event(pid, event, message),
            Stop::Call => {
                self.at_call(pid);
                self.go_on(pid, 0);
            }
            Stop::Signal(signal) => {
                let signal = if self.stops_init(pid, signal) { 0 } else { signal };
                self.go_on(pid, signal);
            }
            Stop::Halt(None) if !self.tasks.contains_key(&pid) => _ = self.early.insert(pid),
            Stop::Halt(None) => self.go_on(pid, 0),
            Stop::Halt(Some(_)) => ptrace::stay_stopped(pid),
        }
    }

    fn event(&mut self, pid: Pid, event: c_int, message: u64) {
        match event {
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                self.born(pid, Pid::from_raw(message as i32));
            }
            libc::PTRACE_EVENT_EXEC => self.executed(pid, Pid::from_raw(message as i32)),
            libc::PTRACE_EVENT_EXIT => self.exits(pid, message as c_int),
            // The message is what the filter answered; the program may have filters of its own.
            libc::PTRACE_EVENT_SECCOMP if message == u64::from(OURS) => self.enters(pid),
            _ => {}
        }
        self.go_on(pid, 0);
    }

    /// Lets it run to its next stop that matters.
    fn go_on(&self, pid: Pid, signal: c_int) {
        let every_call =
            self.tasks.get(&pid).is_some_and(|task| task.call.is_some() || task.writes);
        ptrace::resume(pid, every_call, signal);
    }

    /// At the entry of a recorded call.
    fn enters(&mut self, pid: Pid) {
        let Ok(At::Filter { number, arguments }) = ptrace::call(pid) else { return };
        let Some(call) = calls::decode(pid, number, &arguments) else { return };
        if let Meaning::Child(flags) = call.meaning {
            keep_its_child(pid, number, arguments[0], flags);
        }
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.call = Some(call);
        }
    }

    /// At the entry or the return of a call of a task that stops at each.
    fn at_call(&mut self, pid: Pid) {
        match ptrace::call(pid) {
            Ok(At::Entry { number, arguments }) => {
                if let Some(task) = self.tasks.get_mut(&pid)
                    && task.writes
                    && task.call.is_none()
                {
                    task.call = calls::decode_write(pid, number, &arguments);
                }
            }
            Ok(At::Return(value)) => {
                let call = self.tasks.get_mut(&pid).and_then(|task| task.call.take());
                if let Some(call) = call {
                    self.returns(pid, call, value);
                }
                if let Some(task) = self.tasks.get_mut(&pid)
                    && task.writes
                {
                    task.writes = has_a_followed_file(pid);
                }
            }
            _ => {}
        }
    }

    /// A recorded call has returned.
    fn returns(&mut self, pid: Pid, call: Call, value: i64) {
        let Some(number) = self.tasks.get(&pid).map(|task| task.number) else { return };
        if self.is_full() {
            self.dropped += 1;
            return;
        }
        if call.meaning == Meaning::Open && value >= 0 {
            // The write will be an event, the opening is none.
            if let Some(task) = self.tasks.get_mut(&pid) {
                task.writes = true;
            }
            return;
        }
        let mut changes = Vec::new();
        let text = self.with_target(pid, &call);
        let outcome = if value < 0 {
            let errno = Errno::from_raw(-value as i32);
            let why = self.caller(pid).and_then(|caller| why::explain(&caller, &call, errno));
            Outcome::Error { errno: format!("{errno:?}"), why }
        } else {
            self.effects(pid, &call.meaning, &mut changes);
            Outcome::Value(value)
        };
        let event = Event { task: number, call: call.name.to_owned(), text, outcome, changes };
        match (&call.meaning, self.tasks.get_mut(&pid)) {
            (Meaning::Exec(_), Some(task)) if value == -i64::from(libc::ENOENT) => {
                task.search = Some(event);
            }
            _ => self.tell(pid, event),
        }
    }

    /// What a call that succeeded has changed.
    fn effects(&mut self, pid: Pid, meaning: &Meaning, changes: &mut Vec<Change>) {
        match meaning {
            // Other flags (`CLONE_FS`, `CLONE_FILES`) are about no namespace.
            Meaning::Unshare(flags) if flags & calls::NAMESPACES == 0 => {}
            Meaning::Unshare(_) | Meaning::Setns { .. } => {
                self.look(pid, changes);
                self.look_at_mounts(changes);
            }
            Meaning::Mounts(_) | Meaning::Chroot => {
                self.look_at_root(pid, changes);
                self.look_at_mounts(changes);
            }
            Meaning::HostName(name) => {
                let namespace = self.tasks.get(&pid).and_then(|task| task.namespace(Kind::Uts));
                if let Some(namespace) = namespace.cloned() {
                    changes.push(Change::HostName { namespace, name: name.clone() });
                }
            }
            Meaning::Write { file, bytes } => self.written(pid, file, bytes, changes),
            Meaning::Child(_)
            | Meaning::Exec(_)
            | Meaning::Open
            | Meaning::Ptrace
            | Meaning::Other => {}
        }
    }

    /// A file that the trace follows was written.
    fn written(&mut self, pid: Pid, file: &str, bytes: &[u8], changes: &mut Vec<Change>) {
        let name = file.rsplit('/').next().unwrap_or(file);
        if name == "cgroup.procs" {
            let all: Vec<Pid> = self.tasks.keys().copied().collect();
            for pid in all {
                self.look_at_cgroup(pid, changes);
            }
            return;
        }
        let key = if name == "timens_offsets" { "time_for_children" } else { "user" };
        let namespace = self.owner_of(pid, file).and_then(|task| task.namespaces.get(key)).cloned();
        if let Some(namespace) = namespace {
            let text = words(&String::from_utf8_lossy(bytes));
            changes.push(Change::Setting { namespace, file: name.to_owned(), text });
        }
    }

    /// The task of a path `/proc/PID/…`. The number is one of the PID namespace of that /proc:
    /// most likely the reader's own.
    fn owner_of(&self, reader: Pid, path: &str) -> Option<&Task> {
        let number = path.strip_prefix("/proc/")?.split('/').next()?.parse::<i32>().ok()?;
        let level = self.tasks.get(&reader)?.pids.len().checked_sub(1)?;
        let alive = || self.tasks.values().filter(|task| !task.ended);
        alive()
            .find(|task| task.pids.get(level) == Some(&number))
            .or_else(|| alive().find(|task| task.pids.contains(&number)))
    }

    /// `maker` has made a task. The event is told now, before the new task does anything.
    fn born(&mut self, maker: Pid, pid: Pid) {
        self.tell_of_the_search(maker);
        let Some(parent) = self.tasks.get_mut(&maker) else { return };
        let call = parent.call.take();
        let (number, process, level) = (parent.number, parent.process, parent.pids.len());
        let flags = match call.as_ref().map(|call| &call.meaning) {
            Some(Meaning::Child(flags)) => *flags,
            _ => 0,
        };
        self.count += 1;
        let thread = flags & libc::CLONE_THREAD as u64 != 0;
        let mut task = Task::new(self.count, if thread { process } else { self.count });
        // It has a copy of its maker's descriptors.
        task.writes = parent.writes;
        task.capabilities = parent.capabilities;
        task.root = parent.root.clone();
        task.cgroup = parent.cgroup.clone();
        self.tasks.insert(pid, task);

        let mut changes = Vec::new();
        self.introduce(pid, Some(number), &mut changes);
        self.look(pid, &mut changes);
        self.look_at_children_of(maker, &mut changes);
        if flags & libc::CLONE_NEWNS as u64 != 0 {
            self.look_at_mounts(&mut changes);
        }
        let pids = self.tasks.get(&pid).map(|task| task.pids.clone()).unwrap_or_default();
        // As the maker sees it.
        let value = level.checked_sub(1).and_then(|level| pids.get(level)).copied();
        let (name, text) = match call {
            Some(call) => (call.name, call.text),
            None => ("clone", "clone()".to_owned()),
        };
        let outcome = Outcome::Value(value.unwrap_or_default().into());
        self.push(Event { task: number, call: name.to_owned(), text, outcome, changes });
        if self.early.remove(&pid) {
            self.go_on(pid, 0);
        }
    }

    /// `pid` executes another program. If one of its further threads has asked for that, the
    /// thread takes over the process's pid, and `former` was its own.
    fn executed(&mut self, pid: Pid, former: Pid) {
        let asked = if former == pid { None } else { self.tasks.remove(&former) };
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        let call = asked.and_then(|task| task.call).or_else(|| task.call.take());
        task.call = None;
        task.search = None;
        task.writes = false;
        let number = task.number;
        let mut changes = Vec::new();
        let (name, text) = match call {
            Some(Call { name, text, meaning: Meaning::Exec(program) }) => {
                changes.push(Change::Program { task: number, name: program });
                (name, text)
            }
            _ => ("execve", "execve()".to_owned()),
        };
        // The kernel may have taken capabilities away, and moved it into its time namespace.
        self.look(pid, &mut changes);
        self.look_at_links(&mut changes);
        self.push(Event {
            task: number,
            call: name.into(),
            text,
            outcome: Outcome::Never,
            changes,
        });
    }

    /// It is about to end; it can still be looked at.
    fn exits(&mut self, pid: Pid, status: c_int) {
        let how = if libc::WIFSIGNALED(status) {
            killed_by(libc::WTERMSIG(status))
        } else {
            format!("exited with {}", libc::WEXITSTATUS(status))
        };
        self.end(pid, how);
    }

    fn end(&mut self, pid: Pid, how: String) {
        self.tell_of_the_search(pid);
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        if task.ended {
            return;
        }
        task.ended = true;
        let (number, unfinished) = (task.number, task.call.take());
        if let Some(call) = unfinished {
            // It will not return any more.
            let outcome = Outcome::Never;
            let (name, text) = (call.name.to_owned(), call.text);
            self.push(Event { task: number, call: name, text, outcome, changes: Vec::new() });
        }
        let text = match how.strip_prefix("exited with ") {
            Some(code) => format!("exit({code})"),
            None => how.clone(),
        };
        let call = if text.starts_with("exit(") { "exit" } else { "end" }.to_owned();
        let mut changes = vec![Change::Ended { task: number, how }];
        self.look_at_links(&mut changes);
        self.push(Event { task: number, call, text, outcome: Outcome::Never, changes });
    }

    /// It has ended, and the kernel has forgotten its pid.
    fn gone(&mut self, pid: Pid, how: String) {
        self.end(pid, how);
        self.tasks.remove(&pid);
        self.early.remove(&pid);
        // A maker that was killed in the act never tells of its child.
        for child in std::mem::take(&mut self.early) {
            self.count += 1;
            self.tasks.insert(child, Task::new(self.count, self.count));
            let mut changes = Vec::new();
            self.introduce(child, None, &mut changes);
            let (task, text) = (self.count, "the task that made it was killed".to_owned());
            self.push(Event { task, call: "clone".into(), text, outcome: Outcome::Never, changes });
            self.go_on(child, 0);
        }
    }

    /// A task is seen for the first time.
    fn introduce(&mut self, pid: Pid, parent: Option<u32>, changes: &mut Vec<Change>) {
        let mut namespaces = Vec::new();
        let mut found = HashMap::new();
        // Each namespace that gets a name is held open.
        let is_told = !self.is_full();
        for kind in Kind::ALL.into_iter().filter(|kind| is_told && kind.exists()) {
            if let Ok(namespace) = names::open(pid, kind.name()) {
                let name = self.names.namespace(kind, namespace, changes);
                namespaces.push(name.clone());
                found.insert(kind.name(), name);
            }
        }
        let pids = status(pid, "NSpid").unwrap_or_default();
        // The first number is the one in our own PID namespace.
        let pids = pids.split_ascii_whitespace().skip(1).filter_map(|pid| pid.parse().ok());
        let pids: Vec<i32> = pids.collect();
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        task.namespaces = found;
        task.pids = pids.clone();
        let (number, process) = (task.number, task.process);
        changes.push(Change::Task { task: number, process, parent, pids, namespaces });
    }

    /// Everything about a task that a call may have changed.
    fn look(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        if self.is_full() {
            return;
        }
        for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
            let Ok(namespace) = names::open(pid, kind.name()) else { continue };
            let name = self.name(kind, namespace, changes);
            let Some(task) = self.tasks.get_mut(&pid) else { return };
            if task.namespaces.insert(kind.name(), name.clone()).as_ref() != Some(&name) {
                changes.push(Change::Joined { task: task.number, kind, namespace: name });
            }
        }
        self.look_at_children_of(pid, changes);
        let capabilities = status(pid, "CapEff");
        let capabilities = capabilities.and_then(|bits| u64::from_str_radix(&bits, 16).ok());
        if let (Some(task), Some(effective)) = (self.tasks.get_mut(&pid), capabilities)
            && task.capabilities.replace(effective) != Some(effective)
        {
            changes.push(Change::Capabilities { task: task.number, effective });
        }
        self.look_at_root(pid, changes);
        self.look_at_cgroup(pid, changes);
    }

    /// Where its next children will be. `pid_for_children` cannot be opened before the first one
    /// is there (`pidns_for_children_get` in kernel/pid_namespace.c).
    fn look_at_children_of(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        for (kind, file) in [(Kind::Pid, "pid_for_children"), (Kind::Time, "time_for_children")] {
            let Ok(namespace) = names::open(pid, file) else { continue };
            let name = self.name(kind, namespace, changes);
            let Some(task) = self.tasks.get_mut(&pid) else { return };
            let own = task.namespace(kind).cloned();
            let before = task.namespaces.insert(file, name.clone()).or(own);
            if before.as_ref() != Some(&name) {
                changes.push(Change::Children { task: task.number, kind, namespace: name });
            }
        }
    }

    fn look_at_root(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        let root = fs::read_link(format!("/proc/{pid}/root"));
        let Ok(path) = root.map(|root| root.to_string_lossy().into_owned()) else { return };
        if let Some(task) = self.tasks.get_mut(&pid)
            && task.root.as_ref() != Some(&path)
        {
            // The first look is no news, unless it is a chroot.
            if task.root.replace(path.clone()).is_some() || path != "/" {
                changes.push(Change::Root { task: task.number, path });
            }
        }
    }

    fn look_at_cgroup(&mut self, pid: Pid, changes: &mut Vec<Change>) {
        let text = text_of(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let Some(path) = text.lines().find_map(|line| line.strip_prefix("0::")) else { return };
        if let Some(task) = self.tasks.get_mut(&pid)
            && task.cgroup.as_deref() != Some(path)
        {
            // Where the sandbox itself stands on this machine is no news.
            if task.cgroup.replace(path.to_owned()).is_some() {
                let path = path.to_owned();
                changes.push(Change::Cgroup { task: task.number, path });
            }
        }
    }

    /// What has changed in any network namespace of the trace. Interfaces are made and moved by
    /// messages, which are no calls of a trace: it is seen when somebody executes another program
    /// or ends.
    fn look_at_links(&mut self, changes: &mut Vec<Change>) {
        if self.is_full() {
            return;
        }
        let is_followed = |name: &str| self.links.get(name) != Some(&None);
        for (namespace, links) in self.names.links(is_followed) {
            self.read += LINK * (1 + links.as_ref().map_or(LINKS, Vec::len));
            if self.links.get(&namespace) != Some(&links) {
                self.links.insert(namespace.clone(), links.clone());
                changes.push(match links {
                    Some(links) => Change::Links { namespace, links },
                    None => too_many(namespace, "links"),
                });
            }
        }
    }

    /// What has changed in each mount namespace that somebody alive is in: mounts propagate.
    fn look_at_mounts(&mut self, changes: &mut Vec<Change>) {
        let mut seen = HashSet::new();
        let mut alive: Vec<_> = self.tasks.iter().filter(|(_, task)| !task.ended).collect();
        alive.sort_by_key(|(_, task)| task.number);
        let each = alive.into_iter().filter_map(|(pid, task)| {
            let namespace = task.namespace(Kind::Mnt)?;
            seen.insert(namespace).then(|| (*pid, namespace.clone()))
        });
        for (pid, namespace) in each.collect::<Vec<_>>() {
            if self.is_full() {
                return;
            }
            if self.mounts.get(&namespace) == Some(&None) {
                continue;
            }
            let Some(text) = mountinfo(pid) else { continue };
            self.read += text.len();
            if text.len() > MOUNTINFO {
                self.mounts.insert(namespace.clone(), None);
                changes.push(too_many(namespace, "mounts"));
                continue;
            }
            let now = self.names.mounts(&namespace, &text);
            let before = self.mounts.insert(namespace.clone(), Some(now.clone()));
            let before = before.flatten().unwrap_or_default();
            // A program may have thousands.
            let numbers: HashSet<_> = now.iter().map(|mount| mount.id).collect();
            let known: HashMap<_, _> = before.iter().map(|mount| (mount.id, mount)).collect();
            let gone = before.iter().filter(|old| !numbers.contains(&old.id));
            changes.extend(
                gone.map(|old| Change::Unmount { namespace: namespace.clone(), id: old.id }),
            );
            let new = now.iter().filter(|mount| known.get(&mount.id) != Some(mount)).cloned();
            changes.extend(new.map(|mount| Change::Mount { namespace: namespace.clone(), mount }));
        }
    }

    fn name(&mut self, kind: Kind, namespace: Namespace, changes: &mut Vec<Change>) -> String {
        self.names.namespace(kind, namespace, changes)
    }

    /// The call's text, with what its descriptor means: `setns(3, CLONE_NEWUTS)` says little.
    fn with_target(&mut self, pid: Pid, call: &Call) -> String {
        let (fd, kinds) = match &call.meaning {
            Meaning::Setns { fd, kinds } => (*fd, *kinds),
            Meaning::Write { file, .. } => return self.with_self(pid, file, &call.text),
            _ => return call.text.clone(),
        };
        let path = format!("/proc/{pid}/fd/{fd}");
        let link = fs::read_link(&path).map(|link| link.to_string_lossy().into_owned());
        let target = match link.unwrap_or_default() {
            link if link.contains("[pidfd]") || link.starts_with("pidfd:") => {
                Some(format!("a pidfd of {}", self.process_of_pidfd(pid, fd)))
            }
            _ => {
                let namespace = Namespace::open(&path).ok();
                namespace.and_then(|namespace| self.names.known(&namespace))
            }
        };
        let flags = call.text.split_once(", ").map_or("", |(_, flags)| flags);
        match target {
            Some(target) if kinds == 0 => format!("setns({fd}: {target}, 0)"),
            Some(target) => format!("setns({fd}: {target}, {flags}"),
            None => call.text.clone(),
        }
    }

    /// The kernel resolves `/proc/self` at the opening. Back again: it is what one types.
    fn with_self(&self, pid: Pid, file: &str, text: &str) -> String {
        let number = file.strip_prefix("/proc/").and_then(|rest| rest.split('/').next());
        let own = number
            .and_then(|number| number.parse().ok())
            .filter(|number| self.tasks.get(&pid).is_some_and(|task| task.pids.contains(number)));
        match own {
            Some(number) => text.replacen(&format!("/proc/{number}/"), "/proc/self/", 1),
            None => text.to_owned(),
        }
    }

    fn process_of_pidfd(&self, pid: Pid, fd: i32) -> String {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
        let pids = info.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let level = self.tasks.get(&pid).map_or(1, |task| task.pids.len());
        // As in /proc/PID/status: the first is the number in our own PID namespace.
        let pid = pids.and_then(|pids| pids.split_ascii_whitespace().nth(level));
        pid.map_or("a process".to_owned(), |pid| format!("process {pid}"))
    }

    /// What the reasons for an error are looked for in.
    fn caller(&self, pid: Pid) -> Option<Caller<'_>> {
        let task = self.tasks.get(&pid)?;
        // How deep the PID namespace is. Whoever has a number there, the caller sees.
        let level = task.pids.len().checked_sub(1)?;
        let alive = self.tasks.iter().filter(|(_, task)| !task.ended);
        let tasks = alive.filter_map(|(pid, task)| {
            let user = task.namespace(Kind::User).cloned().unwrap_or_default();
            Some(Numbered { number: *task.pids.get(level)?, pid: *pid, user })
        });
        let threads = status(pid, "Threads").and_then(|count| count.parse().ok()).unwrap_or(1);
        Some(Caller {
            pid,
            names: &self.names,
            user: task.namespace(Kind::User).cloned().unwrap_or_default(),
            pid_namespace: task.namespace(Kind::Pid).cloned(),
            pid_for_children: task.namespaces.get("pid_for_children").cloned(),
            capabilities: task.capabilities.unwrap_or_default(),
            threads,
            root: task.root.clone().unwrap_or_default(),
            tasks: tasks.collect(),
        })
    }

    /// A signal from inside that would stop a PID 1. The kernel ignores it where nobody traces; a
    /// traced one would stop for good (`SIGNAL_UNKILLABLE` in kernel/signal.c).
    fn stops_init(&self, pid: Pid, signal: c_int) -> bool {
        signal == libc::SIGSTOP
            && self.tasks.get(&pid).is_some_and(|task| task.pids.last() == Some(&1))
            && ptrace::sender(pid).is_some_and(|sender| sender != 0)
    }

    /// An event of a task that is there.
    fn tell(&mut self, pid: Pid, event: Event) {
        self.tell_of_the_search(pid);
        self.push(event);
    }

    /// A search for a program that found none is told when the task does something else.
    fn tell_of_the_search(&mut self, pid: Pid) {
        if let Some(event) = self.tasks.get_mut(&pid).and_then(|task| task.search.take()) {
            self.push(event);
        }
    }

    fn push(&mut self, mut event: Event) {
        if !self.is_full() {
            self.names.host_names(&mut event.changes);
            let line = event.to_json() + "\n";
            if self.lines.len() + line.len() <= KEPT {
                self.lines += &line;
                self.events += 1;
                return;
            }
            // A trace has no gaps: nothing comes after what found no room.
            self.events = EVENTS;
        }
        self.dropped += 1;
    }

    /// Nothing more is kept, so nobody has to look any more.
    fn is_full(&self) -> bool {
        self.events >= EVENTS || self.read >= READ
    }
}

fn too_many(namespace: String, what: &str) -> Change {
    Change::Setting { namespace, file: what.to_owned(), text: TOO_MANY.to_owned() }
}

/// The mounts that a task sees, as the kernel tells them: at most a little more than [`MOUNTINFO`].
fn mountinfo(pid: Pid) -> Option<String> {
    let file = File::open(format!("/proc/{pid}/mountinfo")).ok()?;
    let mut bytes = Vec::new();
    file.take(MOUNTINFO as u64 + 1).read_to_end(&mut bytes).ok()?;
    // A name may be no UTF-8, and the last one may be cut.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A child that is born with `CLONE_UNTRACED` would have no tracer, and each of its recorded calls
/// would fail: the flag is taken out.
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

fn has_a_followed_file(pid: Pid) -> bool {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    let mut links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.any(|link| calls::is_followed(&link.to_string_lossy()))
}

/// A line of a task's status file.
pub(super) fn status(pid: Pid, name: &str) -> Option<String> {
    let text = text_of(format!("/proc/{pid}/status")).ok()?;
    field(&text, &format!("{name}:")).map(str::to_owned)
}

fn killed_by(signal: c_int) -> String {
    match Signal::try_from(signal) {
        Ok(signal) => format!("killed by {signal}"),
        Err(_) => format!("killed by signal {signal}"),
    }
}

/// Lines of words with one space between.
fn words(text: &str) -> String {
    let lines =
        text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}
