//! What a check asks the supervisor for.

use std::ffi::{OsString, c_int};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::helper::wire::{Reader, Writer};

/// What the learner's program finds when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Root in a throwaway user namespace: uid 0, every capability, its own UTS, IPC, network and
    /// cgroup namespaces, owned by that user namespace.
    RootLab,
    /// Uid 1000 without a capability. The namespaces around it belong to somebody else.
    PlainUser,
}

impl State {
    /// As pages and messages write it.
    pub fn name(self) -> &'static str {
        match self {
            State::RootLab => "root-lab",
            State::PlainUser => "plain-user",
        }
    }

    /// The uid and gid that the program runs with, as it sees them itself.
    pub fn id(self) -> u32 {
        match self {
            State::RootLab => 0,
            State::PlainUser => 1000,
        }
    }
}

/// A file of this machine that the sandbox shows, read-only, as `/lab/NAME`.
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
    /// A second thread that has left the process for namespaces of its own. `{NAME.thread}` in an
    /// argument stands for its thread id.
    pub thread: Option<i32>,
    /// The host name it gives to its UTS namespace (which must be in `new`).
    pub host_name: Option<String>,
    /// The uid and gid with which it makes `below`, in a lab with many ids ([`super::has_many_ids`]);
    /// in others there is no choice.
    pub creator: Option<u32>,
    /// User namespaces, each made inside the one before, the last of them its own. With each come
    /// other namespaces in the same call, `CLONE_NEW*`, which it owns.
    pub below: Vec<i32>,
    /// Namespaces, `CLONE_NEW*`, that belong to a user namespace below the neighbor's own. It has
    /// joined them, and nobody is in that user namespace.
    pub far: i32,
}

/// What the sandbox puts on a path inside, before the program starts. It belongs to root there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fixture {
    Directory,
    File(String),
    /// The COMMAND of checks, for a root directory that is made of nothing else.
    Witness,
}

/// The cgroups of a lab to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The path on this machine of the cgroup that has the limits.
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

/// One run of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) state: State,
    pub(crate) network: bool,
    pub(crate) terminal: bool,
    /// Many ids, and setgroups(2) not denied, where the machine allows it.
    pub(crate) many_ids: bool,
    /// Whether somebody enters the PID namespace that the program makes.
    pub(crate) orphan: bool,
    /// Whether the program starts with the attribute of prctl(2), and cannot gain privileges.
    pub(crate) no_new_privs: bool,
    pub(crate) host_name: String,
    pub(crate) shown: Vec<Shown>,
    pub(crate) neighbors: Vec<Neighbor>,
    /// Paths inside, in `/tmp` or `/run`, in the order in which they are made.
    pub(crate) fixtures: Vec<(String, Fixture)>,
    /// Every mount that the program finds is shared.
    pub(crate) shared_mounts: bool,
    /// Whether it finds cgroups mounted; for the root lab.
    pub(crate) cgroups: bool,
    /// Those that are its own.
    pub(crate) own_cgroups: Option<Plan>,
    /// Types of ioctl(2) requests that the program's kernel does not know.
    pub(crate) unknown_ioctls: Vec<u8>,
    /// The program's working directory.
    pub(crate) working_directory: String,
    /// The program (a path inside) and its arguments.
    pub(crate) command: Vec<OsString>,
    /// `NAME=VALUE`.
    pub(crate) environment: Vec<String>,
}

impl Request {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.number(u64::from(self.state.id()))
            .number(self.network.into())
            .number(self.terminal.into())
            .number(self.many_ids.into())
            .number(self.orphan.into())
            .number(self.no_new_privs.into());
        to.text(&self.host_name);
        to.list(&self.shown, |to, shown| {
            to.text(&shown.name).text(&shown.path);
        });
        to.list(&self.neighbors, |to, neighbor| {
            to.text(&neighbor.name).number(neighbor.new as u64);
            to.list(neighbor.thread.as_slice(), |to, flags| {
                to.number(*flags as u64);
            });
            to.list(neighbor.host_name.as_slice(), |to, name| {
                to.text(name);
            });
            to.list(neighbor.creator.as_slice(), |to, id| {
                to.number(u64::from(*id));
            });
            to.list(&neighbor.below, |to, flags| {
                to.number(*flags as u64);
            });
            to.number(neighbor.far as u64);
        });
        to.list(&self.fixtures, |to, (path, fixture)| {
            to.text(path);
            match fixture {
                Fixture::Directory => to.number(0).text(""),
                Fixture::File(text) => to.number(1).text(text),
                Fixture::Witness => to.number(2).text(""),
            };
        });
        to.number(self.shared_mounts.into()).number(self.cgroups.into());
        to.list(self.own_cgroups.as_slice(), |to, plan| {
            to.text(&plan.folder).number(plan.limits.into());
        });
        to.list(&self.unknown_ioctls, |to, kind| {
            to.number((*kind).into());
        });
        to.text(&self.working_directory);
        to.list(&self.command, |to, word| {
            to.bytes(word.as_bytes());
        });
        to.list(&self.environment, |to, text| {
            to.text(text);
        });
        to.0
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Request> {
        let mut from = Reader(bytes);
        Some(Request {
            state: if from.number()? == 0 { State::RootLab } else { State::PlainUser },
            network: from.number()? != 0,
            terminal: from.number()? != 0,
            many_ids: from.number()? != 0,
            orphan: from.number()? != 0,
            no_new_privs: from.number()? != 0,
            host_name: from.text()?,
            shown: from.list(|from| Some(Shown { name: from.text()?, path: from.text()? }))?,
            neighbors: from.list(|from| {
                Some(Neighbor {
                    name: from.text()?,
                    new: from.number()? as i32,
                    thread: from.list(|from| Some(from.number()? as i32))?.pop(),
                    host_name: from.list(Reader::text)?.pop(),
                    creator: from.list(|from| Some(from.number()? as u32))?.pop(),
                    below: from.list(|from| Some(from.number()? as i32))?,
                    far: from.number()? as i32,
                })
            })?,
            fixtures: from.list(|from| {
                let path = from.text()?;
                let fixture = match (from.number()?, from.text()?) {
                    (0, _) => Fixture::Directory,
                    (1, text) => Fixture::File(text),
                    (2, _) => Fixture::Witness,
                    _ => return None,
                };
                Some((path, fixture))
            })?,
            shared_mounts: from.number()? != 0,
            cgroups: from.number()? != 0,
            own_cgroups: from
                .list(|from| Some(Plan { folder: from.text()?, limits: from.number()? != 0 }))?
                .pop(),
            unknown_ioctls: from.list(|from| Some(from.number()? as u8))?,
            working_directory: from.text()?,
            command: from.list(|from| from.bytes().map(OsString::from_vec))?,
            environment: from.list(Reader::text)?,
        })
    }
}

/// The namespaces of the lab, beside user, mount and PID.
pub(crate) fn lab_flags(request: &Request) -> c_int {
    let network = if request.network { libc::CLONE_NEWNET } else { 0 };
    libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP | network
}

/// Puts pids in the place of `{NAME}`.
pub(crate) fn with_pids(text: &str, pids: &[(String, i32)]) -> String {
    let mut text = text.to_owned();
    for (name, pid) in pids {
        text = text.replace(&format!("{{{name}}}"), &pid.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_trip() {
        let request = Request {
            state: State::PlainUser,
            network: true,
            terminal: false,
            many_ids: true,
            orphan: true,
            no_new_privs: false,
            host_name: "lab".into(),
            shown: vec![Shown { name: "prog".into(), path: "/somewhere/prog".into() }],
            neighbors: vec![Neighbor {
                name: "target".into(),
                new: libc::CLONE_NEWUTS,
                thread: Some(libc::CLONE_NEWIPC),
                host_name: Some("otter".into()),
                creator: Some(7),
                below: vec![libc::CLONE_NEWNET, 0],
                far: libc::CLONE_NEWIPC,
            }],
            fixtures: vec![
                ("/run/tree".into(), Fixture::Directory),
                ("/run/tree/name".into(), Fixture::File("otter\n".into())),
                ("/run/tree/command".into(), Fixture::Witness),
            ],
            shared_mounts: true,
            cgroups: true,
            own_cgroups: Some(Plan { folder: "/sys/fs/cgroup/lab-7".into(), limits: true }),
            unknown_ioctls: vec![0xFF],
            working_directory: "/tmp".into(),
            command: vec!["/lab/prog".into(), "".into(), OsString::from_vec(b"\xff".into())],
            environment: vec!["PATH=/lab".into()],
        };
        assert_eq!(Request::decode(&request.encode()), Some(request));
    }
}
