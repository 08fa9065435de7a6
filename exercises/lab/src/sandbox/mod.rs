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
mod root;
pub(crate) mod cgroups;
mod descriptors;
mod nested_users;
mod orphan;
mod recording;
mod launch;
mod init;
mod create;
mod run;

pub use cgroups::{MOUNTED as CGROUPS, STARTED_IN};
pub(crate) use create::{JOB, fork_sandbox};
pub use limits::{MEMORY, OUTPUT, PROCESSES};
pub use message::{Excess, Status};
pub use request::{Fixture, Neighbor, Shown, State};
pub use run::{Ended, NoTrace, Output, Run, Wait};

pub use crate::env::patience;
pub use crate::helper::ids::holds_the_machines_root;
pub use crate::helper::setup::{SetupError, Stage};

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::helper::setup::{at, io_at};
use crate::helper::{ids, supervisor, wire};
use request::Request;
use run::Ends;

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
pub fn has_cgroups() -> Result<(), SetupError> {
    cgroups::DelegatedCgroup::find().map(drop)
}

/// Whether they can have limits of processes and of memory.
///
/// # Errors
///
/// As for [`has_cgroups`].
pub fn has_cgroup_limits() -> Result<(), SetupError> {
    cgroups::DelegatedCgroup::find()?.limits()
}

/// A run to be: a program, its arguments, and what it finds when it starts.
#[must_use = "nothing runs before `start`"]
pub struct Sandbox {
    request: Request,
    standard: Option<[OwnedFd; 3]>,
    patience: Option<Duration>,
    recorded: bool,
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
                environment: environment.map(str::to_owned).to_vec(),
            },
            standard: None,
            patience: Some(patience()),
            recorded: false,
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
        self.request.environment.push(format!("{name}={value}"));
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
        self.recorded = true;
        self
    }

    /// Starts the program and returns when its exec has happened.
    ///
    /// # Errors
    ///
    /// The call of the set-up that this machine refused. The program has not run then.
    pub fn start(self) -> Result<Run, SetupError> {
        let stage = Stage::Supervisor;
        let Sandbox { mut request, standard, patience, recorded } = self;
        // What is the plain user's cgroup namespace belongs to somebody else, who may mount.
        request.cgroups &= request.state == State::RootLab;
        // Anybody mounts their own cgroup, in namespaces of their own. With our id a program that is
        // in ours could kill and freeze whom it finds there: the check, the shell.
        if request.cgroups || ids::is_ours() {
            request.own_cgroups = cgroups::DelegatedCgroup::find().ok().map(|ground| ground.plan());
        }
        let supervisor = supervisor::socket()?;
        let pair = || wire::pair().map_err(at(stage, "socketpair(SOCK_SEQPACKET)"));
        let pipe = || {
            nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(at(stage, "pipe2(O_CLOEXEC)"))
        };
        let (report, their_report) = pair()?;
        let (witness, their_witness) = pair()?;
        let other = nix::sys::stat::fstat(&their_witness).map_err(at(stage, "fstat(a socket)"))?;
        let their_socket = format!("socket:[{}]", other.st_ino);
        nix::sys::socket::setsockopt(&witness, nix::sys::socket::sockopt::PassCred, &true)
            .map_err(at(stage, "setsockopt(SO_PASSCRED)"))?;
        let (their_liveness, liveness) = pipe()?;
        let mut output = Vec::new();
        let [stdin, stdout, stderr] = match standard {
            Some(fds) => fds,
            None => {
                let null = File::open("/dev/null").map_err(io_at(stage, "open(\"/dev/null\")"))?;
                let ((out, their_out), (err, their_err)) = (pipe()?, pipe()?);
                output.extend([out, err]);
                [null.into(), their_out, their_err]
            }
        };

        let mut message = vec![JOB];
        message.extend(request.encode());
        let (trace, their_trace) = if recorded { Some(pipe()?) } else { None }.unzip();
        let (cgroups, their_gone) = match &request.own_cgroups {
            Some(plan) => {
                let (gone, theirs) = pipe()?;
                (Some((plan.root(), gone)), Some(theirs))
            }
            None => (None, None),
        };
        let mut passed = vec![their_report, stdin, stdout, stderr, their_witness, their_liveness];
        passed.extend(their_gone);
        passed.extend(their_trace);
        wire::send(supervisor, &message, &passed.iter().map(AsFd::as_fd).collect::<Vec<_>>())
            .map_err(at(stage, "sendmsg(the arguments)"))?;
        drop(passed);
        Run::begin(
            Ends { report, witness, their_socket, liveness, output, trace, cgroups },
            request.terminal,
            patience,
        )
    }
}
