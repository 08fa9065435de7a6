//! The throwaway sandbox: any program runs in it, as root or not, and the machine is as before.
//!
//! ```text
//! the check (H)        many threads; asks, reads output, looks from outside
//!  └ supervisor (S)    one thread; clones, writes id maps
//!     └ PID 1 (I)      outer user, mount and PID namespace; builds the root, reaps, limits
//!        └ program     inner user and mount namespace, and the lab's; the learner's code
//! ```
//!
//! The death of PID 1 is the broom: the kernel kills whatever is left in its PID namespace, and
//! mounts, links and IPC objects go with the namespaces.

pub(crate) mod request;
pub(crate) mod message;
mod limits;
mod filters;
mod lab;
mod root;
pub(crate) mod cgroups;
mod setup;
mod nested_users;
mod neighbors;
mod orphan;
mod recording;
mod launch;
mod init;
mod create;
mod ends;
mod run;
mod starting;

pub use cgroups::{MOUNTED as CGROUPS, STARTED_IN};
pub(crate) use create::{JOB, fork_sandbox};
pub use limits::{MEMORY, OUTPUT, PROCESSES};
pub use message::{Ended, Excess, Status};
pub use recording::NoTrace;
pub use request::{Fixture, Neighbor, Shown, State};
pub use run::{Output, Run, Wait};

pub use crate::env::patience;
pub use crate::helper::ids::holds_the_machines_root;
pub use crate::helper::refusal::{Refusal, Stage};

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::stat::fstat;
use nix::unistd::pipe2;

use crate::helper::refusal::refused;
use crate::helper::{ids, supervisor, wire};
use cgroups::DelegatedCgroup;
use ends::{Ends, OwnCgroups};
use request::{Plan, Request};
use setup::Descriptors;
use starting::Starting;

/// The COMMAND that checks hand to programs: a path inside every sandbox.
pub const WITNESS: &str = "/lab/witness";

/// Whether [`Sandbox::many_ids`] is to be had here. An ordinary user has one id and no power over
/// others (user_namespaces(7)).
pub fn has_many_ids() -> bool {
    ids::many().is_some()
}

/// Whether [`Sandbox::cgroups`] are to be had here.
///
/// # Errors
///
/// The call that shows that they are not; [`crate::doctor::explain`] knows why.
pub fn has_cgroups() -> Result<(), Refusal> {
    DelegatedCgroup::find().map(drop)
}

/// Whether they can have limits of processes and of memory.
///
/// # Errors
///
/// As for [`has_cgroups`].
pub fn has_cgroup_limits() -> Result<(), Refusal> {
    DelegatedCgroup::find()?.limits()
}

/// A run to be: a program, its arguments, and what it finds when it starts.
#[must_use = "nothing runs before `start`"]
pub struct Sandbox {
    request: Request,
    standard: Option<[OwnedFd; 3]>,
    patience: Option<Duration>,
}

impl Sandbox {
    /// A program of this machine, shown inside as `/lab/` and its name.
    pub fn new(program: impl AsRef<Path>) -> Sandbox {
        let path = program.as_ref();
        let name = path.file_name().unwrap_or(OsStr::new("program")).to_string_lossy().into_owned();
        let mut sandbox = Sandbox::command(&format!("/lab/{name}"));
        sandbox.request.shown.push(Shown { name, path: path.to_string_lossy().into_owned() });
        sandbox
    }

    /// A program that is inside anyway, such as `/bin/sh`.
    pub fn command(path: &str) -> Sandbox {
        let environment = [
            "PATH=/lab:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/tmp",
            "LANG=C.UTF-8",
        ];
        Sandbox {
            request: Request {
                state: State::RootLab,
                network: true,
                terminal: false,
                many_ids: false,
                orphan: false,
                no_new_privs: true,
                host_name: "lab".to_owned(),
                shown: Vec::new(),
                neighbors: Vec::new(),
                fixtures: Vec::new(),
                shared_mounts: false,
                cgroups: false,
                own_cgroups: None,
                unknown_ioctls: Vec::new(),
                working_directory: "/".to_owned(),
                command: vec![path.into()],
                environment: environment.map(OsString::from).to_vec(),
                recorded: false,
            },
            standard: None,
            patience: Some(patience()),
        }
    }

    pub fn state(mut self, state: State) -> Self {
        self.request.state = state;
        self
    }

    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.request.command.push(arg.into());
        self
    }

    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.request.command.extend(args.into_iter().map(Into::into));
        self
    }

    /// Runs a shell script in the program's stead: there the program is `$0`, and what was an
    /// argument so far is `$1` and so on.
    pub fn script(mut self, text: &str) -> Self {
        self.request.command.splice(0..0, ["/bin/sh", "-c", text].map(OsString::from));
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.request.environment.push(format!("{name}={value}").into());
        self
    }

    /// The arguments that make a program run the witness as its COMMAND.
    pub fn witness(self) -> Self {
        self.args(["--", WITNESS])
    }

    /// Sends somebody into the PID namespace that the program makes below this one: a process that
    /// has lost its parent, so that the program, as a subreaper (prctl(2)), becomes it.
    pub fn orphan(mut self) -> Self {
        self.request.orphan = true;
        self
    }

    /// Starts the program without the attribute no_new_privs (prctl(2)), so that one can see whether
    /// it sets it. There is nothing to gain all the same: what is shown of this machine is mounted
    /// nosuid, and its owners have no id here.
    ///
    /// Not together with [`Sandbox::many_ids`] for a plain user: who is root first and then becomes
    /// somebody has lost the capability that our filters need in the attribute's place (seccomp(2)).
    /// The start fails with `EACCES` then.
    pub fn without_no_new_privs(mut self) -> Self {
        self.request.no_new_privs = false;
        self
    }

    /// Shows another file of this machine as `/lab/NAME`, unless one has that name already.
    pub fn show(mut self, name: &str, path: impl AsRef<Path>) -> Self {
        if self.request.shown.iter().any(|shown| shown.name == name) {
            return self;
        }
        let path = path.as_ref().to_string_lossy().into_owned();
        self.request.shown.push(Shown { name: name.to_owned(), path });
        self
    }

    pub fn neighbor(mut self, neighbor: Neighbor) -> Self {
        self.request.neighbors.push(neighbor);
        self
    }

    /// Puts something on a path in `/tmp` or `/run`.
    pub fn fixture(mut self, path: impl Into<String>, fixture: Fixture) -> Self {
        self.request.fixtures.push((path.into(), fixture));
        self
    }

    /// Makes every mount that the program finds a shared one, as systemd(1) does at boot: a copy
    /// of the mount namespace gives its mounts back to the lab until it is told otherwise. The
    /// peers are all inside; nothing reaches the outer level or this machine, and nothing comes
    /// from there (mount_namespaces(7)).
    pub fn shared_mounts(mut self) -> Self {
        self.request.shared_mounts = true;
        self
    }

    /// Shows the root lab its cgroups (version 2), at [`CGROUPS`]. They are its own: its root may make
    /// others there, and the program starts in [`STARTED_IN`]. Where [`has_cgroups`] says no, it is
    /// the one that we are in, and closed.
    pub fn cgroups(mut self) -> Self {
        self.request.cgroups = true;
        self
    }

    /// Takes all ioctl(2) requests of a type from the program (0xFF: pidfds, since Linux 6.11; 0xB7:
    /// namespaces, since 4.9): they answer `ENOTTY`, as on a kernel that does not know them.
    pub fn unknown_ioctls(mut self, kind: u8) -> Self {
        self.request.unknown_ioctls.push(kind);
        self
    }

    /// The program's working directory, a path inside; `/` unless told.
    pub fn working_directory(mut self, path: impl Into<String>) -> Self {
        self.request.working_directory = path.into();
        self
    }

    /// The lab's host name; `lab` unless told.
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.request.host_name = name.into();
        self
    }

    /// Leaves out the network namespace, which costs as much as all the others together. For
    /// programs that we trust.
    pub fn without_network(mut self) -> Self {
        self.request.network = false;
        self
    }

    /// Gives the sandbox many ids, of nobody, instead of one: root in the lab has all of them. And
    /// nobody has denied setgroups(2) there yet, as on a machine that was just installed. Where
    /// [`has_many_ids`] says no, nothing changes.
    pub fn many_ids(mut self) -> Self {
        self.request.many_ids = has_many_ids();
        self
    }

    /// Gives the program a terminal of the sandbox's own; [`Run::terminal`] is its other side.
    pub fn terminal(mut self) -> Self {
        self.request.terminal = true;
        self
    }

    /// Standard input, output and error, instead of nothing and two pipes that [`Run`] reads.
    pub fn standard(mut self, fds: [OwnedFd; 3]) -> Self {
        self.standard = Some(fds);
        self
    }

    /// How long each awaited thing may take; `None` for as long as it likes.
    pub fn patience(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// Records what it does to its namespaces; [`Run::trace`] is it.
    pub fn record(mut self) -> Self {
        self.request.recorded = true;
        self
    }

    /// Starts the program and returns when its exec has happened.
    ///
    /// # Errors
    ///
    /// The call of the set-up that this machine refused. The program has not run then.
    pub fn start(self) -> Result<Run, Refusal> {
        let stage = Stage::Supervisor;
        let Sandbox { mut request, standard, patience } = self;
        // The plain user's cgroup namespace is the outer user namespace's, so it could not mount them.
        request.cgroups &= request.state == State::RootLab;
        // Any program can mount its own cgroup in namespaces that it makes. If it were in the cgroup of
        // this process and had the same id, it could kill and freeze what it finds there: the check,
        // the shell.
        if request.cgroups || ids::is_ours() {
            request.own_cgroups = DelegatedCgroup::find().ok().map(|cgroup| cgroup.plan());
        }
        let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(refused(stage, "pipe2(O_CLOEXEC)"));
        let pipe_if = |wanted: bool| Ok(if wanted { Some(pipe()?) } else { None }.unzip());

        let (witness, inner_witness) =
            wire::pair().map_err(refused(stage, "socketpair(SOCK_SEQPACKET)"))?;
        setsockopt(&witness, sockopt::PassCred, &true)
            .map_err(refused(stage, "setsockopt(SO_PASSCRED)"))?;
        let inode = fstat(&inner_witness).map_err(refused(stage, "fstat(a socket)"))?.st_ino;
        let (inner_liveness, liveness) = pipe()?;
        let (trace, inner_trace) = pipe_if(request.recorded)?;
        let (gone, cgroups_gone) = pipe_if(request.own_cgroups.is_some())?;
        let mut streams = Vec::new();
        let [stdin, stdout, stderr] = match standard {
            Some(fds) => fds,
            None => {
                let null =
                    File::open("/dev/null").map_err(refused(stage, "open(\"/dev/null\")"))?;
                let ((out, stdout), (err, stderr)) = (pipe()?, pipe()?);
                for fd in [&out, &err] {
                    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
                        .map_err(refused(stage, "fcntl(O_NONBLOCK)"))?;
                }
                streams.extend([out, err]);
                [null.into(), stdout, stderr]
            }
        };
        let fds = Descriptors {
            stdin,
            stdout,
            stderr,
            witness: inner_witness,
            liveness: inner_liveness,
            trace: inner_trace,
            cgroups_gone,
        };
        let report = supervisor::request(JOB, &request, &fds.to_send())?;
        let cgroups = request.own_cgroups.as_ref().map(Plan::root).zip(gone);
        let ends = Ends {
            report,
            witness,
            witness_name: format!("socket:[{inode}]"),
            _liveness: liveness,
            streams,
            trace,
            cgroups: cgroups.map(|(root, gone)| OwnCgroups { root, gone }),
            patience,
        };
        // Now the sandbox alone holds its ends.
        drop(fds);
        Starting::new(ends).finish()
    }
}
