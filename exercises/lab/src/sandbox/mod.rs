//! The throwaway sandbox: any program runs in it, as root or not, and leaves the machine as it was.
//!
//! ```text
//! the check            many threads; asks, reads output, looks from outside
//!  └ supervisor        one thread; clones, writes id maps
//!     └ PID 1          outer user, mount and PID namespaces; builds the root, reaps, limits
//!        └ program     inner user and mount namespaces, and the lab's; the learner's code
//! ```
//!
//! The end of PID 1 cleans up: the kernel kills the other processes in its PID namespace, and
//! mounts, interfaces and IPC objects are destroyed with their namespaces.

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
mod parked;
mod inhabitants;
mod run;
mod starting;

pub use cgroups::{MOUNTED as CGROUPS, STARTED_IN};
pub(crate) use create::{JOB, fork_sandbox};
pub use inhabitants::Inhabitants;
pub use limits::{MEMORY, OUTPUT, PROCESSES};
pub use message::{Ended, Excess, Status};
pub use parked::{Answer, WITNESS_BLOCKS, try_calls};
pub use recording::NoTrace;
pub use request::{Fixture, Neighbor, Shown, State};
pub use run::{Output, Run, Wait};
pub(crate) use starting::look_at;

pub use crate::env::patience;
pub use crate::helper::ids::holds_the_machines_root;
pub use crate::helper::limits::{TooLow, arrange as arrange_limits, too_low};
pub use crate::helper::refusal::{Refusal, Stage};
use crate::record::Holds;
pub use crate::record::IdMaps;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;

use crate::helper::refusal::refused;
use crate::helper::{ids, supervisor};
use crate::random::{random, token};
use cgroups::DelegatedCgroup;
use ends::{Ends, OwnCgroups};
use request::{Plan, Request};
use setup::Descriptors;
use starting::Starting;

/// Stands for the witness's path in arguments and in the paths of fixtures.
pub const WITNESS: &str = "{witness}";

/// A path that no program can know before it is started with it.
fn witness_path() -> String {
    const FOLDERS: [&str; 3] = ["/lab", "/opt", "/srv"];
    const NAMES: [&str; 6] = ["server", "worker", "build", "sh", "report", "date"];
    let pick = |words: &[&'static str]| words[random() as usize % words.len()];
    format!("{}/{}", pick(&FOLDERS), token(pick(&NAMES)))
}

/// Two to four words, among them such as a shell would split, drop or take for an option. One alone would not
/// show that a program passes all of them as one.
fn witness_arguments() -> Vec<OsString> {
    let words =
        [token("word"), token("two words, 'one' argument"), String::new(), token("--option")];
    let first = random() as usize % words.len();
    let many = 2 + random() as usize % (words.len() - 1);
    words.iter().cycle().skip(first).take(many).map(OsString::from).collect()
}

/// Whether this machine allows [`Sandbox::many_ids`]. An ordinary user can map only one id
/// (user_namespaces(7)), and a check does the same for a grader ([`crate::env::IDS`]).
pub fn has_many_ids() -> bool {
    ids::many().is_some()
}

/// Whether this machine allows [`Sandbox::cgroups`].
///
/// # Errors
///
/// The call that shows that it does not.
pub fn has_cgroups() -> Result<(), Refusal> {
    DelegatedCgroup::find().map(drop)
}

/// Whether those cgroups can have limits of processes and of memory.
///
/// # Errors
///
/// As for [`has_cgroups`].
pub fn has_cgroup_limits() -> Result<(), Refusal> {
    DelegatedCgroup::find()?.limits()
}

/// The description of a run: a program, its arguments, and what it finds when it starts.
#[must_use = "nothing runs before `start`"]
pub struct Sandbox {
    request: Request,
    standard: Option<[OwnedFd; 3]>,
    patience: Option<Duration>,
    unrecorded: bool,
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

    /// A program that every sandbox has, such as `/bin/sh`: a path inside.
    pub fn command(path: &str) -> Sandbox {
        let environment = [
            "PATH=/lab:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/tmp",
            "LANG=C.UTF-8",
        ];
        Sandbox {
            request: Request {
                state: State::RootLab,
                gid: None,
                network: true,
                terminal: false,
                many_ids: false,
                orphan: false,
                no_new_privs: true,
                host_name: "lab".to_owned(),
                shown: Vec::new(),
                neighbors: Vec::new(),
                fixtures: Vec::new(),
                witness: witness_path(),
                shared_mounts: false,
                cgroups: false,
                own_cgroups: None,
                unknown_ioctls: Vec::new(),
                failing_ioctls: Vec::new(),
                failing_calls: Vec::new(),
                working_directory: "/".to_owned(),
                command: vec![path.into()],
                environment: environment.map(OsString::from).to_vec(),
                recorded: false,
                id_maps: IdMaps::Written,
                holds_pid_1: false,
                holds: Holds::Nothing,
            },
            standard: None,
            patience: Some(patience()),
            unrecorded: false,
        }
    }

    /// What the program finds when it starts; the root lab by default.
    pub fn state(mut self, state: State) -> Self {
        self.request.state = state;
        self
    }

    /// The gid that the program runs with, as it sees it itself. By default it is the same number as the
    /// uid, so that a program may take one for the other and nothing shows it.
    pub fn gid(mut self, gid: u32) -> Self {
        self.request.gid = Some(gid);
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

    /// Lets the arguments that the program has so far be changed.
    pub fn change_arguments(mut self, change: impl FnOnce(&mut [OsString])) -> Self {
        let own = self.request.shown.first().map(|shown| format!("/lab/{}", shown.name));
        let command = &mut self.request.command;
        // A script stands before the program.
        let program = own.and_then(|own| command.iter().position(|word| *word == *own));
        change(&mut command[program.unwrap_or(0) + 1..]);
        self
    }

    /// Runs a shell script instead of the program. In the script the program is `$0`, and its
    /// arguments so far are `$1` and so on.
    pub fn script(mut self, text: &str) -> Self {
        self.request.command.splice(0..0, ["/bin/sh", "-c", text].map(OsString::from));
        self
    }

    /// A variable of the program's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.request.environment.push(format!("{name}={value}").into());
        self
    }

    /// The arguments that make a program run the witness as its COMMAND, with arguments that no program
    /// can guess.
    pub fn witness(self) -> Self {
        self.args(["--", WITNESS]).args(witness_arguments())
    }

    /// The arguments that each witness of the command line has to be started with: those behind it, to
    /// the end or to a word `--and`, which begins another COMMAND.
    pub fn witness_arguments(&self) -> Vec<Vec<OsString>> {
        let behind = self.request.command.split(|word| word == WITNESS).skip(1);
        let own = behind.map(|words| words.iter().take_while(|word| *word != "--and"));
        own.map(|words| words.cloned().collect()).collect()
    }

    /// Sends an orphan into the PID namespace that the program makes. The program is started as a
    /// subreaper (prctl(2)), and becomes its parent.
    pub fn orphan(mut self) -> Self {
        self.request.orphan = true;
        self
    }

    /// Starts the program without the attribute no_new_privs (prctl(2)), so that a check can see
    /// whether the program sets it. There are no privileges to gain all the same: what is shown of
    /// this machine is mounted nosuid, and the ids of its owners are not mapped.
    ///
    /// Not together with [`Sandbox::many_ids`] for a plain user: the start fails with `EACCES`.
    /// Without the attribute a filter takes CAP_SYS_ADMIN (seccomp(2)), which is lost with the
    /// change from root to the plain user.
    pub fn without_no_new_privs(mut self) -> Self {
        self.request.no_new_privs = false;
        self
    }

    /// Shows another file or folder of this machine as `/lab/NAME`, unless a shown one has that name
    /// already. A folder is shown as it is, with its own permissions.
    pub fn show(mut self, name: &str, path: impl AsRef<Path>) -> Self {
        if self.request.shown.iter().any(|shown| shown.name == name) {
            return self;
        }
        let path = path.as_ref().to_string_lossy().into_owned();
        self.request.shown.push(Shown { name: name.to_owned(), path });
        self
    }

    /// Shows a folder of this machine as `/lab` itself. One mount takes a fraction of what many take. The
    /// witness is elsewhere then, because the folder is read-only.
    pub fn show_as_lab(mut self, path: impl AsRef<Path>) -> Self {
        self.request.witness = format!("/opt/{}", token("witness"));
        let path = path.as_ref().to_string_lossy().into_owned();
        self.request.shown.push(Shown { name: String::new(), path });
        self
    }

    /// Starts a process beside the program.
    pub fn neighbor(mut self, neighbor: Neighbor) -> Self {
        self.request.neighbors.push(neighbor);
        self
    }

    /// Creates something at a path in `/tmp` or `/run`, in the order of these calls. [`WITNESS`] in the
    /// path stands for the witness's own.
    pub fn fixture(mut self, path: impl Into<String>, fixture: Fixture) -> Self {
        self.request.fixtures.push((path.into(), fixture));
        self
    }

    /// Makes every mount that the program finds a shared one, as systemd(1) does at boot: mounts in
    /// a copy of the mount namespace propagate back to the lab until the copy is made private. All
    /// peers are inside, so nothing propagates to or from the outer level and this machine
    /// (mount_namespaces(7)).
    pub fn shared_mounts(mut self) -> Self {
        self.request.shared_mounts = true;
        self
    }

    /// Mounts cgroups (version 2) in the root lab, at [`CGROUPS`]. They are its own: its root may
    /// make others there, and the program starts in [`STARTED_IN`]. Where [`has_cgroups`] fails,
    /// the program finds the cgroup of the check, and may not write to it.
    pub fn cgroups(mut self) -> Self {
        self.request.cgroups = true;
        self
    }

    /// Makes all ioctl(2) requests of a type (0xFF: pidfds, since Linux 6.11; 0xB7: namespaces,
    /// since 4.9) fail with `ENOTTY`, as on a kernel that does not know them.
    pub fn unknown_ioctls(mut self, kind: u8) -> Self {
        self.request.unknown_ioctls.push(kind);
        self
    }

    /// Makes one request of ioctl(2) fail with this errno, and no other request.
    pub fn failing_ioctl(mut self, request: u32, errno: Errno) -> Self {
        self.request.failing_ioctls.push((request, errno));
        self
    }

    /// Makes a system call, by its number, fail with this errno in the program and in all that it starts.
    pub fn failing_call(mut self, number: libc::c_long, errno: Errno) -> Self {
        let number = number.try_into().expect("system calls have small numbers");
        self.request.failing_calls.push((number, errno));
        self
    }

    /// The program's working directory, a path inside; `/` by default.
    pub fn working_directory(mut self, path: impl Into<String>) -> Self {
        self.request.working_directory = path.into();
        self
    }

    /// The lab's host name; `lab` by default.
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.request.host_name = name.into();
        self
    }

    /// Leaves out the network namespace, which takes as long to make as all the others together.
    /// For trusted programs.
    pub fn without_network(mut self) -> Self {
        self.request.network = false;
        self
    }

    /// Gives the sandbox many unused ids instead of one: root in the lab has all of them. And
    /// setgroups(2) is not denied there, as on a freshly installed machine. Where [`has_many_ids`]
    /// is false, nothing changes.
    pub fn many_ids(mut self) -> Self {
        self.request.many_ids = has_many_ids();
        self
    }

    /// Gives the program a terminal that belongs to the sandbox; [`Run::terminal`] is its other
    /// side.
    pub fn terminal(mut self) -> Self {
        self.request.terminal = true;
        self
    }

    /// Standard input, output and error, instead of nothing and two pipes that [`Run`] reads.
    pub fn standard(mut self, fds: [OwnedFd; 3]) -> Self {
        self.standard = Some(fds);
        self
    }

    /// How long each awaited event may take; `None` for any time. [`patience`] by default.
    pub fn patience(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// A part of the usual patience, because the program is known to hang. One that was set before stays.
    pub fn once_more(mut self) -> Self {
        if self.patience == Some(patience()) {
            self.patience = Some(patience() / run::ONCE_MORE);
        }
        self
    }

    /// Records what the program does to its namespaces; [`Run::trace`] returns it.
    pub fn record(mut self) -> Self {
        self.request.recorded = !self.unrecorded;
        self
    }

    /// Never records the program, so that this process can trace it
    /// ([`Run::orphan_first_child`]): a process has one tracer.
    pub fn unrecorded(mut self) -> Self {
        self.unrecorded = true;
        self
    }

    /// Records the program, and decides what happens when it writes an id map. Where tracing is
    /// forbidden, the program runs as it would elsewhere.
    pub fn id_maps(mut self, id_maps: IdMaps) -> Self {
        self.request.id_maps = id_maps;
        self.record()
    }

    /// What cannot be seen if the recorder of this run should do more than look, and is not allowed to.
    pub fn takes_a_recorder(&self) -> Option<&'static str> {
        match self.request.id_maps {
            _ if self.request.holds_pid_1 => Some("what becomes of a signal before PID 1 runs"),
            _ if self.request.holds != Holds::Nothing => Some("what is there before COMMAND is"),
            IdMaps::Written => None,
            _ => Some("what COMMAND does before its maps are written"),
        }
    }

    /// Records the program, and holds the first process of each PID namespace that it makes, before
    /// that process has run: until a signal is pending there, at most for [`patience`]. A signal from
    /// the check then always comes first. Where tracing is forbidden, nothing is held.
    pub fn hold_pid_1(mut self) -> Self {
        self.request.holds_pid_1 = true;
        self.record()
    }

    /// Records the program, and holds each process that has made a child, and each new thread: until all
    /// others wait for something, and while COMMAND runs. So COMMAND is looked at before its parent, or
    /// another thread, can do anything more for it. Where tracing is forbidden, nothing is held.
    pub fn hold_parents(mut self) -> Self {
        self.request.holds = Holds::Parents;
        self.record()
    }

    /// Records the program, and holds each new process and each new thread before it has run: until all
    /// others wait for something, and while COMMAND runs. So COMMAND starts before a process that was
    /// made to prepare something for it, unless the program waits for that. Where tracing is forbidden,
    /// nothing is held.
    pub fn hold_children(mut self) -> Self {
        self.request.holds = Holds::Children;
        self.record()
    }

    /// Starts the program and returns when its exec has happened.
    ///
    /// # Errors
    ///
    /// The call of the set-up that this machine refused. The program has not run then.
    pub fn start(self) -> Result<Run, Refusal> {
        let stage = Stage::Supervisor;
        arrange_limits()?;
        let Sandbox { mut request, standard, patience, .. } = self;
        // The plain user's cgroup namespace is the outer user namespace's, so it could not mount
        // them.
        request.cgroups &= request.state == State::RootLab;
        // Any program can mount its own cgroup in namespaces that it makes. If it were in the
        // cgroup of this process and had the same id, it could kill and freeze what it finds there:
        // the check, the shell.
        if request.cgroups || ids::is_own() {
            request.own_cgroups = DelegatedCgroup::find().ok().map(|cgroup| cgroup.plan());
        }
        let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(refused(stage, "pipe2(O_CLOEXEC)"));
        let pipe_if = |wanted: bool| Ok(if wanted { Some(pipe()?) } else { None }.unzip());

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
            liveness: inner_liveness,
            trace: inner_trace,
            cgroups_gone,
        };
        let report = supervisor::request(JOB, &request, &fds.to_send())?;
        let cgroups = request.own_cgroups.as_ref().map(Plan::root).zip(gone);
        let ends = Ends {
            report,
            witness: request.witness.clone(),
            has_witness: request.has_witness(),
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
