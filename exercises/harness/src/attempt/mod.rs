//! One attempt of a learner's program: started, looked at, compared with the world before.

mod again;
mod changes;
mod ending;
mod history;
mod ids;
mod left;

use std::cell::Cell;
use std::ffi::OsString;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::look::{Kind, Namespace, Namespaces, Process};
use lab::sandbox::{NoTrace, Run, Sandbox, WITNESS_BLOCKS, Wait};
use lab::{letters, moment, random, visit};

use crate::doctor;
use crate::env;
use crate::report::Report;
use crate::{mistakes, variant, verdict};

pub use again::with_room_for_a_queue;
pub use ending::{
    high_status, named_status, names_errno, no_more_namespaces, no_new_proc, not_refused, refused,
    spells_errno,
};
pub use ids::watch_setgroups;
pub use left::{A_PROCESS, NO_PROCESS, left_of_a_killed, left_of_an_orphan, until};

/// How long a program may be busy after it has started COMMAND, before it is looked at.
const A_MOMENT: Duration = Duration::from_millis(100);

/// How long the second look waits for a program that sleeps, or is busy, while COMMAND runs.
const SECOND_THOUGHTS: Duration = Duration::from_secs(1);

/// How long COMMAND is kept from ending while the program waits with a time limit, or asks again and again: longer
/// than the limits that people write. Only the first COMMAND of a step.
const LIMIT: Duration = Duration::from_millis(5500);

/// How long a check waits for what a program has left behind and that is still busy.
const LEFT_BEHIND: Duration = Duration::from_millis(500);

thread_local! {
    /// Whether the program has hung in an earlier attempt of this step. The step has failed by then, so the
    /// attempts that follow have less patience.
    static HUNG: Cell<bool> = const { Cell::new(false) };

    /// Whether a COMMAND of this step has been kept from ending already, for [`LIMIT`].
    static OUTLASTED: Cell<bool> = const { Cell::new(false) };
}

/// A started program, and what has been seen of it so far.
pub struct Attempt {
    pub run: Run,
    pub report: Report,
    host_name: String,
    /// What each COMMAND has to be started with, in the order of the command line.
    arguments: Vec<Vec<OsString>>,
    looks: Vec<Look>,
    released: Option<u8>,
    /// How an earlier wait failed, so that its limit is not waited for again.
    lost: Option<Wait>,
    /// Whether setgroups(2) was denied in COMMAND's user namespace, and COMMAND's pids. By which process,
    /// the trace shows at the end.
    denied: Option<(bool, Vec<i32>)>,
    /// What cannot be seen if the recorder is not allowed to do more than look.
    takes_a_recorder: Option<&'static str>,
    /// Whose history the trace shows at the end.
    followed: Option<history::Followed>,
}

impl Attempt {
    /// Starts the program that [`exercise!`](crate::exercise) puts into a sandbox.
    ///
    /// # Panics
    ///
    /// When this machine cannot set the sandbox up. That is no verdict on the program: the message
    /// says so, and what to change on the machine.
    #[track_caller]
    pub fn start(sandbox: Sandbox) -> Attempt {
        let host_name = letters(9..60);
        let sandbox = sandbox.host_name(&host_name);
        let sandbox = match variant::current() {
            Some(variant) => variant.arrange(sandbox),
            None => sandbox,
        };
        let arguments = sandbox.witness_arguments();
        let sandbox = if env::path(env::TRACE).is_some() { sandbox.record() } else { sandbox };
        let sandbox = if HUNG.get() { sandbox.once_more() } else { sandbox };
        let takes_a_recorder = sandbox.takes_a_recorder();
        let run = sandbox.start().unwrap_or_else(|error| {
            let advice = doctor::explain(&error);
            verdict::could_not_check(&error, &advice)
        });
        let mut report = Report::default();
        report.role(&host_name, "LAB");
        report.row("lab", run.lab().try_clone().expect("eight more descriptors"));
        let looks = Vec::new();
        Attempt {
            run,
            report,
            host_name,
            arguments,
            looks,
            released: None,
            lost: None,
            denied: None,
            takes_a_recorder,
            followed: None,
        }
    }

    /// Waits until the program has started COMMAND with its arguments, and enters it in the report.
    /// `None`, and the reason in the report, when it never does.
    pub fn command(&mut self) -> Option<Rc<Seen>> {
        let (wait, witness) = self.run.await_witness();
        self.lost = Some(wait).filter(|wait| !matches!(wait, Wait::Reached | Wait::Ended));
        if wait == Wait::TimedOut {
            HUNG.set(true);
            let children = self.run.program().children();
            let calls: Vec<_> = children.iter().filter_map(Process::waits_in).collect();
            self.report.aside("a child waits in", calls.join(", "));
        }
        let with_others = witness.as_ref().map(Process::arguments);
        let wanted = self.arguments.first().cloned().unwrap_or_default();
        let with_others = with_others.filter(|arguments| *arguments != wanted);
        let witness = witness.filter(|_| with_others.is_none());
        let seen = witness.and_then(|process| Seen::of(process).ok()).map(Rc::new);
        // COMMAND waits, but the process that started it may still be busy on its way to wait(2).
        self.run.program().await_rest(A_MOMENT);
        match &seen {
            Some(seen) => {
                self.report
                    .row("COMMAND", seen.namespaces.try_clone().expect("eight more descriptors"));
                self.look_at_the_program(seen);
            }
            None => {
                let why = match (with_others, wait) {
                    (Some(none), _) if none.is_empty() => {
                        "started without its arguments".to_owned()
                    }
                    (Some(_), _) => "started with other arguments".to_owned(),
                    (None, Wait::Reached) => {
                        "never started: it had ended before the check could look".to_owned()
                    }
                    (None, Wait::Ended) => "never started: your program has ended".to_owned(),
                    (None, wait) => format!("never started: {}", self.stopped(wait)),
                };
                self.report.alarm("COMMAND", why);
            }
        }
        seen
    }

    /// Waits until every COMMAND of the command line runs, all at the same time, and enters each as one of
    /// `rows`, in the order of the command line. `None`, and the reason in the report, if they never do.
    pub fn commands<const N: usize>(&mut self, rows: [&str; N]) -> Option<[Rc<Seen>; N]> {
        let mut running = Vec::new();
        for before in 0..N {
            let (wait, witness) = self.run.await_nth_witness(before);
            let Some(witness) = witness else {
                self.report.alarm("COMMANDs at once", format!("{before} of {N}"));
                match wait {
                    // A program that waits for the first before it starts the next one can go on.
                    Wait::TimedOut => {
                        HUNG.set(true);
                        self.release();
                    }
                    wait => self.lost = Some(wait).filter(|wait| *wait != Wait::Ended),
                }
                return None;
            };
            running.push(witness);
        }
        self.run.program().await_rest(A_MOMENT);
        // They are found in any order.
        let with = |arguments: &Vec<OsString>| {
            let process = running.iter().find(|process| process.arguments() == *arguments)?;
            Seen::of(process.try_clone().ok()?).ok().map(Rc::new)
        };
        let seen: Option<Vec<_>> = self.arguments.iter().map(with).collect();
        let Some(Ok(seen)) = seen.map(<[Rc<Seen>; N]>::try_from) else {
            self.report.alarm("COMMANDs at once", "one has other arguments");
            return None;
        };
        for (row, command) in rows.into_iter().zip(&seen) {
            let namespaces = command.namespaces.try_clone().expect("eight more descriptors");
            self.report.row(row, namespaces);
        }
        Some(seen)
    }

    /// Looks, while COMMAND waits, at what is only for the diagnosis.
    fn look_at_the_program(&mut self, command: &Seen) {
        let program = self.run.program();
        // /proc/PID/ns shows the namespaces of the main thread; other threads may be in others.
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
        let apart = namespaces.apart_from(self.run.lab());
        let apart: Vec<_> = apart.into_iter().map(Kind::name).collect();
        (!apart.is_empty()).then(|| apart.join(" "))
    }

    /// Enters a neighbor in the report's table, or in a line if the program has killed it.
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

    /// Enters what `look` sees of COMMAND now, and looks once more before the release: what is undone
    /// meanwhile is no line of a right program. Of a COMMAND that has ended nothing is seen, because most
    /// files of such a process are empty or gone, and look like an answer.
    pub fn look(
        &mut self,
        key: &str,
        command: &Rc<Seen>,
        look: impl Fn(&Seen) -> String + 'static,
    ) {
        let command = command.clone();
        let look = move || {
            let seen = look(&command);
            (!command.process.has_ended()).then_some(seen)
        };
        let first = look().unwrap_or_else(|| GONE.to_owned());
        self.report.line(key, &first);
        self.looks.push(Look { key: key.to_owned(), first, again: Box::new(look) });
    }

    /// Looks again, at a moment that no program can know, and when the program's own delays are over.
    fn look_again(&mut self) {
        if self.looks.is_empty() {
            return;
        }
        sleep(Duration::from_millis(5) + moment(Duration::from_millis(20)));
        self.await_rest(SECOND_THOUGHTS, busy);
        for look in std::mem::take(&mut self.looks) {
            if let Some(now) = (look.again)().filter(|now| *now != look.first) {
                self.report.amend(&look.key, format_args!("{}, and later {now}", look.first));
            }
        }
    }

    /// Waits until no process in the lab is busy, for so long at most. Returns those that were there at the last look.
    fn await_rest(&self, most: Duration, is_busy: impl Fn(&Process) -> bool) -> Vec<Process> {
        let deadline = Instant::now() + most;
        let mut processes = Vec::new();
        // A process may be seen between two calls, so once is not enough.
        let mut quiet = 0;
        while Instant::now() < deadline && quiet < 3 {
            processes = self.run.processes();
            quiet = if processes.iter().any(&is_busy) { 0 } else { quiet + 1 };
            sleep(Duration::from_millis(2));
        }
        processes
    }

    /// After the program's end: waits for those of the processes that it has left behind which are about to
    /// end. Whether they do so before or after the program is chance. Returns how many did, and the names of
    /// the others. A COMMAND is among the others in any case: it ends when the check lets it, and the program had
    /// not waited for that.
    fn await_those_left_behind(&mut self) -> (u64, Vec<String>) {
        let before = self.run.ended().map_or(Vec::new(), |ended| ended.left_running.clone());
        // One that used too much is about to lose all its processes.
        if before.is_empty() || self.run.was_stopped() {
            return (0, before);
        }
        // The recorder may hold one for a moment.
        let is_busy = |process: &Process| busy(process) || process.state() == Some('t');
        let mut left = self.await_rest(LEFT_BEHIND, is_busy);
        left.sort_by_key(|process| process.pid());
        let is_command = |name: &String| self.known_name(name) == "COMMAND";
        let commands = before.iter().filter(|name| is_command(name)).cloned();
        let others = left.iter().filter_map(Process::name).filter(|name| !is_command(name));
        let running: Vec<String> = commands.chain(others).collect();
        (before.len().saturating_sub(running.len()) as u64, running)
    }

    /// Waits until the program waits for COMMAND without a limit. One that gives up has ended by then.
    fn outlast(&self) {
        let begin = Instant::now();
        let most = if OUTLASTED.get() { A_MOMENT } else { LIMIT };
        self.await_rest(most, |process| self.is_its_own(process) && busy(process));
        OUTLASTED.set(OUTLASTED.get() || begin.elapsed() >= SECOND_THOUGHTS);
    }

    /// Whether it is a process of the program's that has executed nothing else.
    fn is_its_own(&self, process: &Process) -> bool {
        process.executes_the_same_as(self.run.program())
    }

    /// Lets COMMAND end, with a status that no program can guess.
    pub fn release(&mut self) {
        let mut processes = self.run.processes().into_iter();
        let has_limit = processes.any(|it| self.is_its_own(&it) && it.waits_for_a_time());
        self.look_again();
        self.outlast();
        if has_limit && self.run.program().has_ended() {
            self.report.aside(mistakes::GAVE_UP_WAITING, "yes");
        }
        // None of those with which programs, shells and panics end by themselves. Where several COMMANDs
        // are released one after the other, all end with the same.
        let status = *self.released.get_or_insert_with(|| 3 + (random() % 90) as u8);
        self.run.release(status);
    }

    /// COMMAND has another name in each run.
    fn known_name<'a>(&self, name: &'a str) -> &'a str {
        // The kernel keeps the first 15 bytes of a process's name (`TASK_COMM_LEN`).
        let witness = self.run.witness().rsplit('/').next().unwrap_or_default();
        if witness.get(..15).unwrap_or(witness) == name { "COMMAND" } else { name }
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
        HUNG.set(HUNG.get() || self.run.has_hung());
        match self.run.unexpected_witnesses(self.arguments.len()) {
            0 => {}
            more => self.report.alarm("COMMANDs that nobody asked for", more),
        }
        let (ended_since, running) = self.await_those_left_behind();
        if let Some(ended) = self.run.ended() {
            let left = match (running.as_slice(), ended.orphaned + ended_since) {
                ([], 0) => "nothing".to_owned(),
                ([], 1) => "1 child not waited for".to_owned(),
                ([], many) => format!("{many} children not waited for"),
                (running, _) => {
                    let running = running.iter().map(|name| self.known_name(name));
                    format!("still running: {}", running.collect::<Vec<_>>().join(", "))
                }
            };
            self.report.line("left behind", left);
        }
        let after = self.lab_afterwards();
        self.report.line("lab afterwards", after);
        let (stdout, stderr) = (self.run.stdout(), self.run.stderr());
        self.report.aside("stdout", stdout.trim_end());
        self.report.aside("stderr", stderr.trim_end());
        // This comes last, because it ends what is still running.
        let trace = self.run.trace();
        self.enter_denial(&trace);
        if let Err(why @ NoTrace::Refused(_)) = &trace
            && let Some(fact) = self.takes_a_recorder
        {
            self.report.skip(fact, &format!("the run could not be recorded ({why})"));
        }
        self.enter_history(&trace);
        self.report.trace = trace.ok();
        self.report
    }
}

/// What is seen of a COMMAND that has ended before the check let it end.
pub const GONE: &str = "cannot be seen: COMMAND has ended";

/// Whether a process does something now, or will by itself.
fn busy(process: &Process) -> bool {
    matches!(process.state(), Some('R' | 'D')) || process.waits_for_a_time()
}

/// Something that is looked at twice.
struct Look {
    key: String,
    first: String,
    again: Box<dyn Fn() -> Option<String>>,
}

/// A process that waits to be looked at, and its namespaces.
pub struct Seen {
    pub process: Process,
    pub namespaces: Namespaces,
}

impl Seen {
    pub fn of(process: Process) -> nix::Result<Seen> {
        Ok(Seen { namespaces: Namespaces::of(&process)?, process })
    }

    /// Its mount namespace, which a visitor can enter.
    pub fn mnt(&self) -> &Namespace {
        self.namespaces.get(Kind::Mnt).expect("every kernel has mount namespaces")
    }

    /// The signals that COMMAND was started with blocked, signal 1 in the lowest bit.
    pub fn blocked_signals(&self) -> Option<u64> {
        Some(self.process.bits("SigBlk")? & !WITNESS_BLOCKS)
    }

    /// The host name in its UTS namespace, read by a visitor. It is quoted if it ends in white space,
    /// which a line of a report does not show.
    pub fn host_name(&self) -> String {
        let name = or_errno(self.namespaces.get(Kind::Uts).map(visit::host_name));
        if name.trim_end() == name { name } else { format!("{name:?}") }
    }
}

fn or_errno(value: Option<nix::Result<String>>) -> String {
    match value {
        Some(Ok(value)) => value,
        Some(Err(errno)) => format!("cannot be read ({errno})"),
        None => "there is none on this kernel".to_owned(),
    }
}
