//! A run as the check sees it: what arrives from the sandbox, and the deadline for it.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{Pid, read};

use super::cgroups;
use super::launch::WITNESS_FD;
use super::limits::{MEMORY, OUTPUT};
use super::message::{Excess, Message, Status};
use super::recording::REFUSED;
use super::root::WITNESS;
use crate::helper::setup::{SetupError, Stage, at};
use crate::helper::wire;
use crate::look::{Mount, Namespaces, Process, mounts};
use trace::Trace;

use crate::record::recorder;

/// What is kept of each stream; the rest is read, counted and dropped.
const KEPT: usize = 64 * 1024;

/// A recorder writes less: its steps, and the program's arguments, which are ours.
const TRACE: usize = 2 * recorder::KEPT;

/// How an awaited thing turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It has come.
    Reached,
    /// The program ended first.
    Ended,
    /// The deadline passed.
    TimedOut,
    /// The program printed more than [`OUTPUT`].
    TooMuchOutput,
    /// Too much memory, too many processes.
    Stopped(Excess),
    /// A process that is not the witness said that it was.
    Impostor,
}

impl Wait {
    /// Why the program was stopped, in words; `None` where it was not.
    pub fn stopped(self) -> Option<String> {
        let why = match self {
            Wait::Reached | Wait::Ended | Wait::TimedOut => return None,
            Wait::TooMuchOutput => format!("it printed more than {} MiB", OUTPUT >> 20),
            Wait::Stopped(Excess::Memory) => {
                format!("it used more than {} MiB of memory", MEMORY >> 20)
            }
            Wait::Stopped(Excess::Processes) => "it had too many processes at once".to_owned(),
            Wait::Impostor => "it played COMMAND instead of starting it".to_owned(),
        };
        Some(format!("stopped: {why}"))
    }
}

/// What a program printed.
#[derive(Default)]
pub struct Output {
    text: Vec<u8>,
    total: u64,
}

impl Output {
    /// The beginning of it, 64 KiB at most; bytes that are no UTF-8 as U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// How the program ended, and what it left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub status: Status,
    /// Children it did not wait for, and that had ended before it.
    pub orphaned: u64,
    /// Names of its processes that were still alive.
    pub left_running: Vec<String>,
}

impl Ended {
    /// Without a word: somebody has killed PID 1 of the sandbox.
    const KILLED: Ended =
        Ended { status: Status::Killed(libc::SIGKILL), orphaned: 0, left_running: Vec::new() };
}

/// A program in its sandbox. Dropping it kills everything inside and waits until it is gone.
pub struct Run {
    report: OwnedFd,
    witness: OwnedFd,
    /// What `/proc/PID/fd` calls the other end of it.
    their_socket: String,
    _liveness: OwnedFd,
    streams: Vec<(OwnedFd, Output)>,
    init: Option<Process>,
    program: Option<Process>,
    terminal: Option<OwnedFd>,
    wants_terminal: bool,
    lab: Option<Namespaces>,
    mounts: Vec<Mount>,
    neighbors: HashMap<String, i32>,
    witnesses: Vec<Option<Process>>,
    impostor: bool,
    started: bool,
    failed: Option<SetupError>,
    ended: Option<Ended>,
    excess: Option<Excess>,
    patience: Option<Duration>,
    /// Where the recorder writes the trace when everybody has ended.
    trace: Option<OwnedFd>,
    /// The lab's uppermost cgroup, and what ends when it is gone.
    cgroups: Option<(PathBuf, OwnedFd)>,
}

/// The check's ends of what it shares with a sandbox.
pub(super) struct Ends {
    pub(super) report: OwnedFd,
    pub(super) witness: OwnedFd,
    /// What `/proc/PID/fd` calls the other end of it.
    pub(super) their_socket: String,
    pub(super) liveness: OwnedFd,
    pub(super) output: Vec<OwnedFd>,
    pub(super) trace: Option<OwnedFd>,
    pub(super) cgroups: Option<(PathBuf, OwnedFd)>,
}

/// Why there is no trace of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTrace {
    /// Nobody asked for one.
    NotRecorded,
    /// This machine did not let the recorder trace the program (ptrace(2)). It ran all the same.
    Refused(Errno),
    /// The recorder was killed, or had not come to an end in time.
    Lost,
}

impl fmt::Display for NoTrace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            NoTrace::NotRecorded => write!(f, "the run was not recorded"),
            NoTrace::Refused(errno) => {
                write!(f, "ptrace(PTRACE_SEIZE): {} (os error {})", errno.desc(), *errno as i32)
            }
            NoTrace::Lost => write!(f, "the recorder did not come to an end"),
        }
    }
}

impl Run {
    pub(super) fn begin(
        ends: Ends,
        wants_terminal: bool,
        patience: Option<Duration>,
    ) -> Result<Run, SetupError> {
        let Ends { report, witness, their_socket, liveness, output, trace, cgroups } = ends;
        for fd in &output {
            fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
                .map_err(at(Stage::Supervisor, "fcntl(O_NONBLOCK)"))?;
        }
        let mut run = Run {
            report,
            witness,
            their_socket,
            _liveness: liveness,
            streams: output.into_iter().map(|fd| (fd, Output::default())).collect(),
            init: None,
            program: None,
            terminal: None,
            wants_terminal,
            lab: None,
            mounts: Vec::new(),
            neighbors: HashMap::new(),
            witnesses: Vec::new(),
            impostor: false,
            started: false,
            failed: None,
            ended: None,
            excess: None,
            patience,
            trace,
            cgroups,
        };
        let wait = run.pump(Some(crate::env::patience() * 2), |run| run.started);
        match (run.failed.take(), run.started, run.program.is_some()) {
            (Some(error), ..) => Err(error),
            (None, true, true) => Ok(run),
            // PID 1 is gone without a word: something killed it from outside.
            (None, ..) => Err(SetupError {
                stage: Stage::Supervisor,
                call: "the sandbox's set-up".into(),
                errno: if wait == Wait::TimedOut { Errno::ETIMEDOUT } else { Errno::EPIPE },
            }),
        }
    }

    /// The program's main process.
    pub fn program(&self) -> &Process {
        self.program.as_ref().expect("`begin` returns a run only with its program")
    }

    /// The uid and the gid that the program started with, as they are here: those of the sandbox's
    /// PID 1, which it cannot change.
    pub fn ids(&self) -> Option<[u32; 2]> {
        self.init.as_ref()?.ids()
    }

    /// The namespaces that the program found when it started.
    pub fn lab(&self) -> &Namespaces {
        self.lab.as_ref().expect("they come with the program")
    }

    /// The mounts that the program found when it started.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The lab's cgroups as they are now, without the uppermost: paths as the lab sees them, such as
    /// `/lab`. No more than it may have, so a program that makes others all the time delays nobody.
    pub fn cgroups(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some((top, _)) = &self.cgroups {
            for folder in cgroups::below(top) {
                let path = folder.strip_prefix(top).expect("it is below");
                found.push(format!("/{}", path.display()));
            }
        }
        found.sort();
        found
    }

    /// A neighbor, to look at from outside; `None` when it has ended.
    ///
    /// # Panics
    ///
    /// Where no neighbor has this name.
    pub fn neighbor(&self, name: &str) -> Option<Process> {
        let pid = self.neighbors.get(name);
        let pid = *pid.unwrap_or_else(|| panic!("no neighbor is called `{name}`"));
        let init = self.init.as_ref()?;
        init.children().into_iter().find(|process| process.own_pid_below(init) == Some(pid))
    }

    /// Everybody in the sandbox but its own PID 1, the neighbors and zombies: whoever has lost their
    /// parent is PID 1's child. Ask again when somebody may just have died, and their children
    /// were on the way there.
    pub fn processes(&self) -> Vec<Process> {
        let Some(init) = &self.init else { return Vec::new() };
        let mut found = init.children();
        found.retain(|child| {
            let own = child.own_pid_below(init);
            !self.neighbors.values().any(|neighbor| Some(*neighbor) == own)
        });
        let mut looked = 0;
        while let Some(process) = found.get(looked) {
            found.extend(process.children());
            looked += 1;
        }
        found.retain(|process| !process.has_ended());
        found
    }

    /// The other side of the program's terminal.
    pub fn terminal(&self) -> Option<&OwnedFd> {
        self.terminal.as_ref()
    }

    /// How long each awaited thing may take; `None` for as long as it likes.
    pub fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// Readable when there is something to take in, such as the end. Whoever carries bytes
    /// between terminals polls it, and then calls [`Run::await_end`].
    pub fn poll_fd(&self) -> BorrowedFd<'_> {
        self.report.as_fd()
    }

    pub fn stdout(&self) -> String {
        self.streams.first().map(|(_, output)| output.text()).unwrap_or_default()
    }

    pub fn stderr(&self) -> String {
        self.streams.get(1).map(|(_, output)| output.text()).unwrap_or_default()
    }

    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Waits until the witness has been started as COMMAND and is parked.
    pub fn await_witness(&mut self) -> (Wait, Option<Process>) {
        self.await_nth_witness(0)
    }

    /// The same for a script that starts more than one: the one that was parked after `before`
    /// others. Each is handed out once.
    pub fn await_nth_witness(&mut self, before: usize) -> (Wait, Option<Process>) {
        let patience = self.patience;
        let wait = self.pump(patience, |run| run.witnesses.len() > before);
        (wait, self.witnesses.get_mut(before).and_then(Option::take))
    }

    /// Lets every parked witness exit with `status`.
    pub fn release(&mut self, status: u8) {
        for _ in &self.witnesses {
            _ = wire::send(self.witness.as_fd(), &[status], &[]);
        }
    }

    /// Waits until the program has ended.
    pub fn await_end(&mut self) -> Wait {
        let patience = self.patience;
        let wait = self.pump(patience, |run| run.ended.is_some());
        // What was printed before the end is in the pipes by now.
        self.read_streams();
        wait
    }

    /// Ends the run, if it has not ended, and returns what the recorder saw.
    ///
    /// # Errors
    ///
    /// Where [`super::Sandbox::record`] was not asked for, or this machine forbids it; and where the
    /// recorder has not come to an end within the run's patience. It is stopped then.
    pub fn trace(&mut self) -> Result<Trace, NoTrace> {
        let trace = self.trace.take().ok_or(NoTrace::NotRecorded)?;
        let patience = self.patience.unwrap_or_else(super::patience);
        let deadline = Instant::now() + patience;
        self.kill();
        self.await_the_end_of_all(patience);
        let text = read_trace(trace, deadline).ok_or(NoTrace::Lost)?;
        if let Some(errno) = text.strip_prefix(REFUSED) {
            return Err(NoTrace::Refused(Errno::from_raw(errno.parse().unwrap_or(libc::EPERM))));
        }
        Trace::from_json_lines(&text).map_err(|_| NoTrace::Lost)
    }

    /// Everything in the PID namespace dies with its PID 1.
    fn kill(&self) {
        if let Some(init) = &self.init {
            init.kill();
        }
    }

    /// The pidfd of PID 1 becomes readable when the last one has died.
    fn await_the_end_of_all(&self, patience: Duration) {
        if let Some(init) = &self.init {
            let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
            _ = poll(&mut [PollFd::new(init.pidfd().as_fd(), PollFlags::POLLIN)], timeout);
        }
    }

    /// Takes in what arrives until `reached`, at most for `patience`.
    fn pump(&mut self, patience: Option<Duration>, reached: impl Fn(&Run) -> bool) -> Wait {
        let deadline = patience.map(|patience| Instant::now() + patience);
        loop {
            if let Some(excess) = self.excess {
                return Wait::Stopped(excess);
            }
            if reached(self) {
                return Wait::Reached;
            }
            if self.ended.is_some() || self.failed.is_some() {
                return Wait::Ended;
            }
            // A quick program may have done either before the news of its start is read.
            if self.started && self.impostor {
                return Wait::Impostor;
            }
            if self.started && self.printed() > OUTPUT {
                return Wait::TooMuchOutput;
            }
            let timeout =
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    Some(Duration::ZERO) => return Wait::TimedOut,
                    Some(left) => PollTimeout::try_from(left + Duration::from_millis(1))
                        .unwrap_or(PollTimeout::MAX),
                    None => PollTimeout::NONE,
                };
            let mut ready = vec![
                PollFd::new(self.report.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.witness.as_fd(), PollFlags::POLLIN),
            ];
            ready.extend(
                self.streams.iter().map(|(fd, _)| PollFd::new(fd.as_fd(), PollFlags::POLLIN)),
            );
            ready.extend(
                self.init.iter().map(|init| PollFd::new(init.pidfd().as_fd(), PollFlags::POLLIN)),
            );
            match poll(&mut ready, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return Wait::TimedOut,
            }
            let ready: Vec<bool> = ready.iter().map(|fd| fd.any() == Some(true)).collect();
            if ready[1] {
                self.read_witness();
            }
            if ready[2..2 + self.streams.len()].contains(&true) {
                self.read_streams();
            }
            if ready[0] {
                self.read_report();
            } else if self.init.is_some() && ready.last() == Some(&true) {
                self.ended = Some(Ended::KILLED);
            }
        }
    }

    /// Bytes on both streams so far.
    fn printed(&self) -> u64 {
        self.streams.iter().map(|(_, output)| output.total).sum()
    }

    fn read_report(&mut self) {
        let message = match wire::receive(self.report.as_fd()) {
            Ok(Some(message)) => message,
            // Every process that could say something is gone. PID 1 would have told of the end: it
            // was killed from inside or out.
            Ok(None) | Err(_) if self.started => {
                self.ended.get_or_insert(Ended::KILLED);
                return;
            }
            Ok(None) | Err(_) => {
                self.failed.get_or_insert(SetupError {
                    stage: Stage::Supervisor,
                    call: "the sandbox's set-up".into(),
                    errno: Errno::EPIPE,
                });
                return;
            }
        };
        let mut fds = message.fds.into_iter();
        match Message::decode(&message.bytes) {
            Some(Message::Created) => self.init = fds.next().map(Process::from_pidfd),
            Some(Message::Failed(error)) => _ = self.failed.get_or_insert(error),
            Some(Message::Neighbors(pids)) => self.neighbors = pids.into_iter().collect(),
            Some(Message::Ready { mounts }) => {
                self.mounts = mounts::parse(&mounts);
                self.program = fds.next().map(Process::from_pidfd);
                if self.wants_terminal {
                    self.terminal = fds.next();
                }
                self.lab = Namespaces::from_fds(fds).ok();
            }
            Some(Message::Started) => self.started = true,
            Some(Message::Ended { status, excess, orphaned, left_running }) => {
                self.excess = excess;
                self.ended = Some(Ended { status, orphaned, left_running });
            }
            None => {}
        }
    }

    fn read_witness(&mut self) {
        match wire::receive_untrusted(self.witness.as_fd()) {
            // The pid comes from the kernel; the text could come from anybody.
            Ok(Some(message)) => {
                let sender = message.sender.ok_or(Errno::EPROTO);
                let who = sender.and_then(|sender| {
                    authenticate_witness(Pid::from_raw(sender.pid()), &self.their_socket)
                });
                match who {
                    Ok(witness) => self.witnesses.push(witness),
                    Err(_) => self.impostor = true,
                }
            }
            // Nothing was there after all, or everybody has closed it.
            Ok(None) | Err(Errno::EAGAIN) => {}
            // More than the witness would send.
            Err(_) => self.impostor = true,
        }
    }

    fn read_streams(&mut self) {
        let mut buffer = [0; 16 * 1024];
        for (fd, output) in &mut self.streams {
            while let Ok(length @ 1..) = read(&*fd, &mut buffer) {
                output.total += length as u64;
                let room = KEPT.saturating_sub(output.text.len());
                output.text.extend(&buffer[..length.min(room)]);
                if output.total > OUTPUT {
                    break;
                }
            }
        }
    }
}

/// What the recorder has written, if it has come to an end by `deadline` and has written no more than
/// a trace can be. What the program does keeps the recorder busy. It ends when the pipe is closed.
fn read_trace(trace: OwnedFd, deadline: Instant) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while text.len() <= TRACE {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(trace.as_fd(), PollFlags::POLLIN)], timeout) {
            Err(Errno::EINTR) => continue,
            Ok(1..) => {}
            _ => return None,
        }
        match read(&trace, &mut buffer).ok()? {
            0 => return String::from_utf8(text).ok(),
            length => text.extend(&buffer[..length]),
        }
    }
    None
}

/// The witness with this pid; `None` where it has ended, or is about to. Such a process executes
/// nothing any more, and for a moment it is still in its namespaces (`do_exit` in `kernel/exit.c`):
/// whoever looked at those would believe anybody who says the word and ends.
///
/// # Errors
///
/// `EPERM` for another program: one that only says so could stand in any namespace. And for a witness
/// that has another socket than ours. Whoever rules a PID namespace may name anybody in it as the
/// sender (unix(7)), so that what a witness said to the program could come later.
fn authenticate_witness(pid: Pid, their_socket: &str) -> nix::Result<Option<Process>> {
    let Ok(process) = Process::open(pid) else { return Ok(None) };
    let socket = std::fs::read_link(format!("/proc/{pid}/fd/{WITNESS_FD}"));
    let is_ours = socket.is_ok_and(|socket| socket.as_os_str() == their_socket);
    // In this order: who ends gives up the program before the descriptors.
    match std::fs::read(format!("/proc/{pid}/exe")) {
        Ok(program) if program == WITNESS && is_ours => Ok(Some(process)),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => Ok(None),
        // COMMAND can be read by everybody. A file that refuses us is another program, though the
        // namespaces of who runs it can be looked at.
        _ => Err(Errno::EPERM),
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
        // Whoever is the last to hold a namespace takes it down. We do our part while they die.
        self.lab = None;
        self.await_the_end_of_all(crate::env::patience());
        if let Some((_, gone)) = &self.cgroups {
            let timeout = PollTimeout::try_from(crate::env::patience()).unwrap_or(PollTimeout::MAX);
            _ = poll(&mut [PollFd::new(gone.as_fd(), PollFlags::POLLIN)], timeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{pipe, write};

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[test]
    fn a_trace_is_read_to_its_end_and_no_further() {
        let (trace, recorder) = pipe().unwrap();
        write(&recorder, b"a trace").unwrap();
        drop(recorder);
        assert_eq!(read_trace(trace, soon()).as_deref(), Some("a trace"));
        let (trace, recorder) = pipe().unwrap();
        write(&recorder, b"a trace that").unwrap();
        assert_eq!(read_trace(trace, soon()), None, "it has no end");
        let (trace, recorder) = pipe().unwrap();
        let writer = std::thread::spawn(move || while write(&recorder, &[b' '; 4096]).is_ok() {});
        let patient = Instant::now() + Duration::from_secs(60);
        assert_eq!(read_trace(trace, patient), None, "it is too long");
        writer.join().unwrap();
    }
}
