//! One attempt of a learner's program: started, looked at, compared with the world before.

mod ids;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lab::{random, token, visit};

use crate::doctor;
use crate::env;
use crate::report::Report;
use crate::verdict;
use lab::look::{Kind, Mount, Namespace, Namespaces, Process};
use lab::sandbox::{self, Fixture, Neighbor, Run, Sandbox, State, Status, Wait};

/// How long a program may be busy after it has started COMMAND, before it is looked at.
const A_MOMENT: Duration = Duration::from_millis(100);

/// The program of this package, in a sandbox: `exercise!()` makes one.
#[must_use = "nothing runs before `start`"]
pub struct Exercise {
    sandbox: Sandbox,
    host_name: String,
}

impl Exercise {
    #[doc(hidden)]
    pub fn new(program: &str) -> Exercise {
        let program = env::path(env::PROGRAM).unwrap_or_else(|| PathBuf::from(program));
        let host_name = token("lab");
        Exercise { sandbox: Sandbox::new(program).host_name(&host_name), host_name }
    }

    /// What the program finds when it starts; the root lab unless told.
    pub fn state(self, state: State) -> Self {
        self.with(|sandbox| sandbox.state(state))
    }

    pub fn arg(self, arg: impl Into<OsString>) -> Self {
        self.with(|sandbox| sandbox.arg(arg))
    }

    pub fn args<T: Into<OsString>>(self, args: impl IntoIterator<Item = T>) -> Self {
        self.with(|sandbox| sandbox.args(args))
    }

    /// Follows the run call by call. What it does to namespaces takes longer then, so a race with
    /// it is nearly always lost.
    pub fn recorded(self) -> Self {
        self.with(Sandbox::record)
    }

    /// Lets [`Attempt::denial_of`] see who denies setgroups(2): nobody has yet, where the harness
    /// has the privilege to arrange it; elsewhere the run is recorded.
    pub fn watch_setgroups(self) -> Self {
        if sandbox::has_many_ids() { self.with(Sandbox::many_ids) } else { self.recorded() }
    }

    /// `-- COMMAND`, where COMMAND is the witness.
    pub fn witness(self) -> Self {
        self.with(Sandbox::witness)
    }

    /// Lets one see whether the program sets no_new_privs ([`Sandbox::without_no_new_privs`]).
    pub fn without_no_new_privs(self) -> Self {
        self.with(Sandbox::without_no_new_privs)
    }

    /// A shell script that starts the program, once or more ([`Sandbox::script`]).
    pub fn script(self, text: &str) -> Self {
        self.with(|sandbox| sandbox.script(text))
    }

    /// Somebody who enters the PID namespace that the program makes ([`Sandbox::orphan`]).
    pub fn orphan(self) -> Self {
        self.with(Sandbox::orphan)
    }

    /// A process that lives beside the program.
    pub fn neighbor(self, neighbor: Neighbor) -> Self {
        self.with(|sandbox| sandbox.neighbor(neighbor))
    }

    /// Something on a path in `/tmp` or `/run`.
    pub fn fixture(self, path: impl Into<String>, fixture: Fixture) -> Self {
        self.with(|sandbox| sandbox.fixture(path, fixture))
    }

    /// Every mount of the lab is a shared one.
    pub fn shared_mounts(self) -> Self {
        self.with(Sandbox::shared_mounts)
    }

    /// Cgroups for the lab, where they are to be had ([`Sandbox::cgroups`]).
    pub fn cgroups(self) -> Self {
        self.with(Sandbox::cgroups)
    }

    /// The program's kernel does not know the ioctl(2) requests of this type
    /// ([`Sandbox::unknown_ioctls`]).
    pub fn unknown_ioctls(self, kind: u8) -> Self {
        self.with(|sandbox| sandbox.unknown_ioctls(kind))
    }

    /// A lab with many ids, where that is to be had ([`sandbox::has_many_ids`]).
    pub fn many_ids(self) -> Self {
        self.with(Sandbox::many_ids)
    }

    /// The program's working directory; `/` unless told.
    pub fn working_directory(self, path: impl Into<String>) -> Self {
        self.with(|sandbox| sandbox.working_directory(path))
    }

    /// How long each thing that is awaited of the program may take; [`sandbox::patience`] unless
    /// told.
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|sandbox| sandbox.patience(Some(patience)))
    }

    fn with(self, change: impl FnOnce(Sandbox) -> Sandbox) -> Self {
        Exercise { sandbox: change(self.sandbox), ..self }
    }

    /// Starts the program.
    ///
    /// # Panics
    ///
    /// When this machine cannot set the sandbox up. That is no verdict on the program: the message
    /// says so, and what to change on the machine.
    #[track_caller]
    pub fn start(self) -> Attempt {
        let recorded = env::path(env::TRACE).is_some();
        let sandbox = if recorded { self.sandbox.record() } else { self.sandbox };
        let run = sandbox.start().unwrap_or_else(|error| {
            let advice = doctor::explain(&error);
            verdict::could_not_check(&error, &advice)
        });
        let mut report = Report::default();
        report.role(&self.host_name, "LAB");
        report.row("lab", run.lab().try_clone().expect("eight more descriptors"));
        Attempt { run, report, host_name: self.host_name, released: None, lost: None, denied: None }
    }
}

/// A started program, and what has been seen of it so far.
pub struct Attempt {
    pub run: Run,
    pub report: Report,
    host_name: String,
    released: Option<u8>,
    /// What a wait has come to that need not be waited for again.
    lost: Option<Wait>,
    /// Whether setgroups(2) was denied in COMMAND's user namespace; who did it is told at the end.
    denied: Option<bool>,
}

impl Attempt {
    /// Waits until the program has started COMMAND, and enters it in the report. `None`, and the
    /// reason in the report, when it never does.
    pub fn command(&mut self) -> Option<Seen> {
        let (wait, witness) = self.run.await_witness();
        self.lost = Some(wait).filter(|wait| !matches!(wait, Wait::Reached | Wait::Ended));
        if wait == Wait::TimedOut {
            let children = self.run.program().children();
            let calls: Vec<_> = children.iter().filter_map(Process::waits_in).collect();
            self.report.aside("a child waits in", calls.join(", "));
        }
        let seen = witness.and_then(|process| Seen::of(process).ok());
        // COMMAND is parked, and whoever started it may still be on its way to wait for it.
        self.run.program().await_rest(A_MOMENT);
        match &seen {
            Some(seen) => {
                self.report
                    .row("COMMAND", seen.namespaces.try_clone().expect("eight more descriptors"));
                self.look_at_the_program(seen);
            }
            None => {
                let why = match wait {
                    Wait::Reached => "it had ended before anybody could look".to_owned(),
                    Wait::Ended => "your program has ended".to_owned(),
                    wait => self.stopped(wait),
                };
                self.report.line("COMMAND", format_args!("never started: {why}"));
            }
        }
        seen
    }

    /// What only the diagnosis looks at while COMMAND is parked.
    fn look_at_the_program(&mut self, command: &Seen) {
        let program = self.run.program();
        // In /proc/PID/ns one sees the main thread. The others may be elsewhere.
        let threads = program.tasks().into_iter().filter(|task| *task != program.pid().as_raw());
        let moved = threads
            .filter_map(|task| self.kinds_apart(&Namespaces::of_thread(program, task).ok()?));
        let moved: Vec<_> = moved.collect();
        if !moved.is_empty() {
            self.report.aside("a thread has moved", moved.join(", "));
        }
        if let Some(name) = command.process.environment("HOSTNAME") {
            self.report.aside("HOSTNAME of COMMAND", name);
        }
    }

    /// Names of the kinds in which these are not the lab's; `None` if all are.
    fn kinds_apart(&self, namespaces: &Namespaces) -> Option<String> {
        let apart =
            Kind::ALL.into_iter().filter(|kind| namespaces.get(*kind) != self.run.lab().get(*kind));
        let apart: Vec<_> = apart.map(Kind::name).collect();
        (!apart.is_empty()).then(|| apart.join(" "))
    }

    /// Enters a neighbor in the report's table; in a line, if the program has killed it.
    pub fn row_of(&mut self, neighbor: &str) {
        let process = self.run.neighbor(neighbor);
        match process.and_then(|process| Namespaces::of(&process).ok()) {
            Some(namespaces) => self.report.row(neighbor, namespaces),
            None => self.report.line(neighbor, "it is gone"),
        }
    }

    /// Enters the program itself in the report's table.
    pub fn row_of_program(&mut self) {
        if let Ok(namespaces) = Namespaces::of(self.run.program()) {
            self.report.row("program", namespaces);
        }
    }

    /// Lets COMMAND end, with a status that nobody can guess.
    pub fn release(&mut self) {
        // Not one that a program, a shell or a panic ends with by itself.
        let status = 3 + (random() % 90) as u8;
        self.released = Some(status);
        self.run.release(status);
    }

    /// Waits for the program's end and completes the report: its status, what it left behind, and
    /// the lab as it is now.
    pub fn finish(mut self) -> Report {
        let wait = self.lost.unwrap_or_else(|| self.run.await_end());
        let ended = match wait {
            Wait::Reached => self.status(),
            wait => self.stopped(wait),
        };
        self.report.line("exit status", ended);
        if let Some(ended) = self.run.ended() {
            let left = match (ended.left_running.as_slice(), ended.orphaned) {
                ([], 0) => "nothing".to_owned(),
                ([], 1) => "1 child not waited for".to_owned(),
                ([], many) => format!("{many} children not waited for"),
                (running, _) => format!("still running: {}", running.join(", ")),
            };
            self.report.line("left behind", left);
        }
        let after = self.lab_afterwards();
        self.report.line("lab afterwards", after);
        let (stdout, stderr) = (self.run.stdout(), self.run.stderr());
        self.report.aside("stdout", stdout.trim_end());
        self.report.aside("stderr", stderr.trim_end());
        // Last of all: it ends whatever is still running.
        let trace = self.run.trace();
        self.enter_denial(&trace);
        self.report.trace = trace.ok();
        self.report
    }

    /// What the program has changed for everybody who was there before it.
    fn lab_afterwards(&self) -> String {
        let lab = self.run.lab();
        let mut changes = Vec::new();
        match lab.get(Kind::Uts).map(visit::host_name) {
            Some(Ok(name)) if name == self.host_name => {}
            name => changes.push(format!("the host name is {}", or_errno(name))),
        }
        changes.extend(self.mounts_changed());
        let cgroups = self.run.cgroups().into_iter().filter(|path| path != sandbox::STARTED_IN);
        changes.extend(cgroups.map(|path| format!("there is a cgroup {path}")));
        if changes.is_empty() { "unchanged".to_owned() } else { changes.join(", ") }
    }

    /// What has become of the lab's mounts since the program started.
    pub fn mounts_changed(&self) -> Vec<String> {
        let now = match self.run.lab().get(Kind::Mnt).map(visit::mounts_in) {
            Some(Ok(mounts)) => mounts,
            Some(Err(errno)) => return vec![format!("its mounts cannot be read ({errno})")],
            None => return Vec::new(),
        };
        let before = self.run.mounts();
        // A number is given again at once.
        let same = |one: &Mount, other: &Mount| {
            (one.id, &one.kind, &one.point) == (other.id, &other.kind, &other.point)
        };
        let new = now.iter().filter(|mount| !before.iter().any(|known| same(known, mount)));
        let gone = before.iter().filter(|mount| !now.iter().any(|left| same(left, mount)));
        // One speaks for all: how many mounts there are is this machine's affair.
        let changed = before.iter().find_map(|before| {
            let now = now.iter().find(|now| same(now, before))?.propagation;
            (now != before.propagation)
                .then(|| format!("{} is {now}, not {}", before.point, before.propagation))
        });
        let mut changes: Vec<_> = new.map(|mount| format!("{mount} is mounted")).collect();
        changes.extend(gone.map(|mount| format!("{mount} is gone")));
        changes.extend(changed);
        changes
    }

    fn status(&self) -> String {
        match self.run.ended().map(|ended| ended.status) {
            Some(Status::Exited(code)) => match self.released {
                Some(status) if code == i32::from(status) => "COMMAND's".to_owned(),
                Some(_) => format!("{code}, not COMMAND's"),
                None => code.to_string(),
            },
            Some(Status::Killed(signal)) => format!("killed by {}", signal_name(signal)),
            None => "unknown".to_owned(),
        }
    }

    /// Why a wait came to nothing.
    fn stopped(&self, wait: Wait) -> String {
        match wait {
            Wait::TimedOut => {
                let patience = self.run.patience().unwrap_or_else(sandbox::patience);
                let seconds = patience.as_secs_f64();
                let mut text = format!("still running after {seconds} s");
                if let Some(call) = self.run.program().waits_in() {
                    text += &format!(", in {call}");
                }
                let children = self.run.program().children();
                let alive = children.iter().find(|child| !child.has_ended());
                if let Some(call) = alive.and_then(Process::waits_in) {
                    text += &format!("; its child in {call}");
                }
                text
            }
            wait => wait.stopped().unwrap_or_else(|| self.status()),
        }
    }
}

/// A process while it is parked, and the namespaces it is in.
pub struct Seen {
    pub process: Process,
    pub namespaces: Namespaces,
}

impl Seen {
    pub fn of(process: Process) -> nix::Result<Seen> {
        Ok(Seen { namespaces: Namespaces::of(&process)?, process })
    }

    /// Its mount namespace, which a [`visitor`] can enter.
    pub fn mnt(&self) -> &Namespace {
        self.namespaces.get(Kind::Mnt).expect("every kernel has mount namespaces")
    }

    /// The host name in its UTS namespace, read by a visitor.
    pub fn host_name(&self) -> String {
        or_errno(self.namespaces.get(Kind::Uts).map(visit::host_name))
    }
}

fn or_errno(value: Option<nix::Result<String>>) -> String {
    match value {
        Some(Ok(value)) => value,
        Some(Err(errno)) => format!("cannot be read ({errno})"),
        None => "there is none on this kernel".to_owned(),
    }
}

fn signal_name(number: i32) -> impl fmt::Display {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {number}"),
    }
}
