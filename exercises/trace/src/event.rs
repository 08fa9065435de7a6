//! A trace: what one run of a program did to its namespaces, call by call.
//!
//! A trace starts with the world that the program found (event 0) and goes on with one [`Event`] for
//! each recorded call. Every event lists what it changed, so the world after any event is the sum of
//! the changes before it ([`World`](super::World)).
//!
//! Two runs that do the same have the same trace: tasks are numbered and namespaces lettered in the
//! order in which they are first seen (`uts A`, `uts B`), and pids are those inside the sandbox.

use std::fmt;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::argument::{Argument, as_typed};
use super::namespace::NamespaceId;

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The program and its arguments.
    pub program: Vec<String>,
    /// The first one is the start of the program, with the world that it found.
    pub events: Vec<Event>,
    /// How many more events there were than a trace may have. They were counted and not kept.
    pub dropped: u64,
    /// Whether the recorder saw every task end.
    pub complete: bool,
    /// The text of each event with roles in place of what is random in this run, where a reader of the trace
    /// has given some ([`Trace::name_by_role`]). It is not kept with the trace.
    pub by_role: Vec<String>,
}

/// One call, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The caller: the number of a [`Change::Task`].
    pub task: u32,
    /// The call's name, such as `unshare`. `start` for event 0; `end` when a task ended without a
    /// call, by a signal.
    pub call: String,
    /// What the call was given. Empty in recordings that an earlier version of this program made.
    pub arguments: Vec<Argument>,
    /// The call as one would type it, such as `unshare(CLONE_NEWUTS)`: to be shown, and not to be
    /// taken apart.
    pub text: String,
    pub outcome: Outcome,
    pub changes: Vec<Change>,
}

impl Event {
    /// A call by this task. The text is made from the arguments.
    pub fn new(
        task: u32,
        call: &str,
        arguments: Vec<Argument>,
        outcome: Outcome,
        changes: Vec<Change>,
    ) -> Event {
        let text = as_typed(call, &arguments);
        Event { task, call: call.to_owned(), arguments, text, outcome, changes }
    }

    /// Whether this is an execve(2) of the COMMAND of a check. The sandbox puts it into one of these
    /// folders, in which there are no other programs.
    pub fn starts_command(&self) -> bool {
        const FOLDERS: [&str; 3] = ["/lab/", "/opt/", "/srv/"];
        let is_there = |argument: &Argument| matches!(argument, Argument::Text(path) if FOLDERS.iter().any(|folder| path.starts_with(folder)));
        self.call == "execve" && self.arguments.first().is_some_and(is_there)
    }

    /// Whether one of the arguments has this flag, such as `CLONE_NEWPID`.
    pub fn has_flag(&self, name: &str) -> bool {
        let has = |argument: &Argument| matches!(argument, Argument::Flags(all) if all.iter().any(|flag| flag == name));
        self.arguments.iter().any(has)
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this.
    Value(i64),
    /// It failed: the errno, and the reason in words where the recorder knows it.
    Error { errno: Errno, why: Option<String> },
    /// It did not return: `exit`, a successful `execve`, or the task was killed in it.
    Never,
}

/// One thing that is different after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A namespace is seen for the first time.
    Namespace {
        id: NamespaceId,
        /// The user namespace that owns it (ioctl_nsfs(2)); for a user namespace, `None`. Also
        /// `None` where the recorder is too far inside to see it.
        owner: Option<NamespaceId>,
        /// The namespace that a user or PID namespace is nested in.
        parent: Option<NamespaceId>,
    },
    /// A process or a thread is seen for the first time.
    Task {
        task: u32,
        /// The number of the process's first task. Its own, unless it is a further thread.
        process: u32,
        /// The task that made it. `None` for the program itself.
        parent: Option<u32>,
        /// Its pid in each PID namespace, from the sandbox's inwards (`NSpid`).
        pids: Vec<i32>,
        /// The namespaces that it is in. Empty when the kernel does not let the recorder look.
        namespaces: Vec<NamespaceId>,
    },
    /// A task has moved to another namespace of the kind of `namespace`.
    Joined { task: u32, namespace: NamespaceId },
    /// The next children of this task will be born in another PID or time namespace.
    Children { task: u32, namespace: NamespaceId },
    /// A task's effective capabilities (capabilities(7)), as a set of bits.
    Capabilities { task: u32, effective: u64 },
    /// A process executes another program. The name is the last component of its path.
    Program { task: u32, name: String },
    /// A task has ended.
    Ended { task: u32, how: Exit },
    /// The contents of `uid_map`, `gid_map` or `setgroups` of a user namespace, or of
    /// `timens_offsets` of a time namespace, with one space between fields; as `root` the root of a
    /// cgroup namespace, from the top of the lab's tree. The file `mounts` or `links` says that a
    /// namespace has too many of them to be followed any further.
    Setting { namespace: NamespaceId, file: String, text: String },
    /// A mount of a mount namespace is new or has changed.
    Mount { namespace: NamespaceId, mount: Mount },
    /// A mount is gone.
    Unmount { namespace: NamespaceId, id: u32 },
    /// The root directory of a process, as a path in its mount namespace, and the mount that it is in:
    /// two mounts may be on one path. `None` for a mount that is in no list any more.
    Root { task: u32, path: String, mount: Option<u32> },
    /// The same of its working directory.
    Directory { task: u32, path: String, mount: Option<u32> },
    /// The host name in a UTS namespace.
    HostName { namespace: NamespaceId, name: String },
    /// The cgroup of a process (cgroups(7), version 2): from the top of the lab's tree if the lab has
    /// one, otherwise as the recorder sees it.
    Cgroup { task: u32, path: String },
    /// A task has created a socket, which stays in this network namespace. That it closes it is not
    /// followed.
    Socket { task: u32, descriptor: i32, namespace: NamespaceId },
    /// What a task waits for now, none or several: until these tasks have been reaped it goes no further.
    /// It is a PID 1 that has ended, or a parent in wait(2).
    Waits { task: u32, on: Vec<u32> },
    /// All interfaces of a network namespace, as they are now.
    Links { namespace: NamespaceId, links: Vec<Link> },
}

/// How a task has ended (wait(2)). Shown as `exited with 0`, `killed by SIGKILL` or `ended`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Exited(i32),
    /// The number of the signal.
    Killed(i32),
    /// Its status was not seen: only its parent is given it.
    Unseen,
}

/// How an end is shown of which nothing else is known.
const UNSEEN: &str = "ended";

impl Exit {
    /// Reads what [`Display`](fmt::Display) writes, and nothing else.
    pub fn parse(text: &str) -> Option<Exit> {
        let exit = match (text.strip_prefix("exited with "), text.strip_prefix("killed by ")) {
            (Some(code), _) => Exit::Exited(code.parse().ok()?),
            (_, Some(signal)) => Exit::Killed(match signal.strip_prefix("signal ") {
                Some(number) => number.parse().ok()?,
                None => signal.parse::<Signal>().ok()? as i32,
            }),
            _ if text == UNSEEN => Exit::Unseen,
            _ => return None,
        };
        (exit.to_string() == text).then_some(exit)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Exit::Exited(code) => write!(f, "exited with {code}"),
            Exit::Killed(number) => write!(f, "killed by {}", signal_name(*number)),
            Exit::Unseen => write!(f, "{UNSEEN}"),
        }
    }
}

/// `SIGKILL`, or `signal 34` for one without a name.
pub fn signal_name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {number}"),
    }
}

/// One mount of one mount namespace (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its number in this trace.
    pub id: u32,
    /// The mount that it is mounted on.
    pub parent: Option<u32>,
    /// The type of the file system.
    pub kind: String,
    /// The directory of the file system that is shown.
    pub root: String,
    pub point: String,
    pub read_only: bool,
    /// `shared:1`, `master:1`, or both; empty for a private mount. Peer groups are numbered in the
    /// order in which they are first seen.
    pub propagation: String,
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub name: String,
    pub up: bool,
    /// With the length of the prefix: `10.0.0.1/24`.
    pub addresses: Vec<String>,
    /// The other end of a veth pair: its network namespace (where it is one of this trace) and
    /// its name there.
    pub peer: Option<(Option<NamespaceId>, String)>,
    /// The bridge that it is a port of.
    pub bridge: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_strictly() {
        let exits = [0, 255].map(Exit::Exited).into_iter().chain([9, 34].map(Exit::Killed));
        for exit in exits.chain([Exit::Unseen]) {
            assert_eq!(Exit::parse(&exit.to_string()), Some(exit));
        }
        for text in [
            "",
            "exited with",
            "exited with +1",
            "killed by KILL",
            "killed by signal 9",
            "ended with 0",
        ] {
            assert_eq!(Exit::parse(text), None, "{text:?}");
        }
    }
}
