//! What a check asks the supervisor for: one run of one program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::helper::wire::wire;
use crate::record::{Holds, IdMaps};

/// What the learner's program finds when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Root in a throwaway user namespace: uid 0, every capability, its own UTS, IPC, network and
    /// cgroup namespaces, owned by that user namespace.
    RootLab,
    /// Uid 1000 without a capability. The namespaces that it is in belong to a user namespace
    /// further out.
    PlainUser,
}

impl State {
    /// As pages and messages write it: `root-lab`, `plain-user`.
    pub fn name(self) -> &'static str {
        match self {
            State::RootLab => "root-lab",
            State::PlainUser => "plain-user",
        }
    }

    /// The uid that the program runs with, as it sees it itself, and the gid, unless another one is asked
    /// for.
    pub fn id(self) -> u32 {
        match self {
            State::RootLab => 0,
            State::PlainUser => 1000,
        }
    }
}

/// A file or folder of this machine that the sandbox shows, read-only, as `/lab/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub name: String,
    pub path: String,
}

/// A process that lives in the sandbox beside the learner's program: a neighbor to compare with,
/// or a target to join. It does nothing. `{NAME}` in an argument stands for its pid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbor {
    pub name: String,
    /// `CLONE_NEW*`: the namespaces that are its own.
    pub new: i32,
    /// The namespaces in which its children would be born, `CLONE_NEWPID` and `CLONE_NEWTIME`: not its own.
    pub children: i32,
    /// A second thread, which has left for namespaces of its own, `CLONE_NEW*`. `{NAME.thread}` in
    /// an argument stands for its thread id.
    pub thread: Option<i32>,
    /// A child that has ended and is not waited for. `{NAME.zombie}` in an argument stands for its pid. A
    /// neighbor has this or a second thread, not both.
    pub zombie: bool,
    /// The host name it gives to its UTS namespace (which must be in `new`).
    pub host_name: Option<String>,
    /// The uid and gid with which it makes `below`, in a lab with many ids
    /// ([`super::has_many_ids`]). In others there is only one id.
    pub creator: Option<u32>,
    /// User namespaces, each made inside the one before, the last of them its own. With each come
    /// other namespaces in the same call, `CLONE_NEW*`, which it owns.
    pub below: Vec<i32>,
    /// Namespaces, `CLONE_NEW*`, that belong to a user namespace below the neighbor's own. It has
    /// joined them, and no process is in that user namespace.
    pub far: i32,
    /// The key of a System V shared memory segment that it makes in its IPC namespace, and does not attach.
    pub segment: Option<i32>,
}

/// What the sandbox creates at a path inside, before the program starts. Its owner is root there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fixture {
    Directory,
    File(String),
    /// The COMMAND of checks, for a root directory that has nothing else.
    Witness,
}

/// The cgroups that a lab will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The path on this machine of the cgroup with the limits.
    pub(crate) folder: String,
    /// Whether those below may have limits.
    pub(crate) limits: bool,
}

impl Plan {
    /// The path of the lab's uppermost one on this machine.
    pub(crate) fn root(&self) -> PathBuf {
        Path::new(&self.folder).join("root")
    }
}

/// The request itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) state: State,
    /// The gid that the program runs with, if it is another number than its uid.
    pub(crate) gid: Option<u32>,
    pub(crate) network: bool,
    pub(crate) terminal: bool,
    /// Many ids, and setgroups(2) not denied, where the machine allows it.
    pub(crate) many_ids: bool,
    /// Whether an orphan enters the PID namespace that the program makes.
    pub(crate) orphan: bool,
    /// Whether the program starts with the attribute no_new_privs (prctl(2)).
    pub(crate) no_new_privs: bool,
    pub(crate) host_name: String,
    pub(crate) shown: Vec<Shown>,
    pub(crate) neighbors: Vec<Neighbor>,
    /// Paths inside, in `/tmp` or `/run`, in the order in which they are made.
    pub(crate) fixtures: Vec<(String, Fixture)>,
    /// Where the witness is.
    pub(crate) witness: String,
    /// Every mount that the program finds is shared.
    pub(crate) shared_mounts: bool,
    /// Whether the program finds cgroups mounted; in the root lab only.
    pub(crate) cgroups: bool,
    /// The cgroups that the lab has for itself.
    pub(crate) own_cgroups: Option<Plan>,
    /// Types of ioctl(2) requests that fail as on a kernel that does not know them.
    pub(crate) unknown_ioctls: Vec<u8>,
    /// Requests of ioctl(2), and the errno with which each fails.
    pub(crate) failing_ioctls: Vec<(u32, Errno)>,
    /// The numbers of system calls, and the errno with which each fails.
    pub(crate) failing_calls: Vec<(u32, Errno)>,
    /// The program's working directory.
    pub(crate) working_directory: String,
    /// The program (a path inside) and its arguments.
    pub(crate) command: Vec<OsString>,
    /// `NAME=VALUE`.
    pub(crate) environment: Vec<OsString>,
    /// Whether a recorder follows the program.
    pub(crate) recorded: bool,
    /// What the recorder does when an id map is written.
    pub(crate) id_maps: IdMaps,
    /// Whether the recorder holds each new PID 1 until a signal is sent to it.
    pub(crate) holds_pid_1: bool,
    /// What the recorder holds while COMMAND starts and runs.
    pub(crate) holds: Holds,
}

wire!(enum State { 0 => RootLab, 1 => PlainUser });
wire!(struct Shown { name, path });
wire!(struct Neighbor { name, new, children, thread, zombie, host_name, creator, below, far, segment });
wire!(enum Fixture { 0 => Directory, 1 => File(text), 2 => Witness });
wire!(enum Holds { 0 => Nothing, 1 => Parents, 2 => Children });
wire!(enum IdMaps { 0 => Written, 1 => Held, 2 => Refused(map) });
wire!(struct Plan { folder, limits });
wire!(struct Request {
    state,
    gid,
    network,
    terminal,
    many_ids,
    orphan,
    no_new_privs,
    host_name,
    shown,
    neighbors,
    fixtures,
    witness,
    shared_mounts,
    cgroups,
    own_cgroups,
    unknown_ioctls,
    failing_ioctls,
    failing_calls,
    working_directory,
    command,
    environment,
    recorded,
    id_maps,
    holds_pid_1,
    holds,
});

impl Request {
    /// The uid and gid that the program runs with, as it sees them itself.
    pub(crate) fn ids(&self) -> [u32; 2] {
        let uid = self.state.id();
        [uid, self.gid.unwrap_or(uid)]
    }

    /// The program and its arguments, with the witness's path and the pids of `neighbors` in the places
    /// that stand for them. A word that is no UTF-8 stays as it is.
    pub(crate) fn words(&self, neighbors: &[(String, i32)]) -> Vec<OsString> {
        let put = |text: String, (name, pid): &(String, i32)| {
            text.replace(&format!("{{{name}}}"), &pid.to_string())
        };
        let words = self.command.iter().map(|word| match word.to_str() {
            Some(text) => neighbors.iter().fold(self.with_witness(text), put).into(),
            None => word.clone(),
        });
        words.collect()
    }

    /// Whether the witness's path is in them.
    pub(crate) fn has_witness(&self) -> bool {
        self.command.iter().any(|word| word.to_string_lossy().contains(super::WITNESS))
    }

    /// The text with the witness's path in the place that stands for it.
    pub(crate) fn with_witness(&self, text: &str) -> String {
        text.replace(super::WITNESS, &self.witness)
    }
}
