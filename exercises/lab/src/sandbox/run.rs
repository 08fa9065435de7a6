//! A run as the check sees it: what arrives from the sandbox, and how long it may take.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use trace::Trace;

use super::cgroups;
use super::ends::{Ends, Init, OwnCgroups, Ready};
use super::inhabitants::{Inhabitants, processes_below};
use super::limits::{MEMORY, OUTPUT};
use super::message::{Ended, Excess, Message};
use super::parked::Parked;
use super::recording::{self, NoTrace};
use crate::env::patience;
use crate::helper::wire::{self, Wire as _};
use crate::look::{Mount, Namespaces, Process};
use crate::record::held;
use crate::sys;

/// How many bytes of each stream are kept; the rest is read, counted and dropped.
const KEPT: usize = 64 * 1024;

/// The shortest and the longest pause between two looks for the witness.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(10)];

/// A program that has hung is waited for once more for this part of the patience.
pub(super) const ONCE_MORE: u32 = 5;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// What was awaited has happened.
    Reached,
    /// The program ended first.
    Ended,
    /// The deadline passed.
    TimedOut,
    /// The program printed more than [`OUTPUT`].
    TooMuchOutput,
    /// The program used too much memory, or had too many processes.
    Stopped(Excess),
}

impl Wait {
    /// Why the program was stopped, in words; `None` if it was not.
    pub fn stopped(self) -> Option<String> {
        let why = match self {
            Wait::Reached | Wait::Ended | Wait::TimedOut => return None,
            Wait::TooMuchOutput => format!("it printed more than {} MiB", OUTPUT >> 20),
            Wait::Stopped(Excess::Memory) => {
                format!("it used more than {} MiB of memory", MEMORY >> 20)
            }
            Wait::Stopped(Excess::Processes) => "it had too many processes at once".to_owned(),
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
    /// The first 64 KiB, with U+FFFD for bytes that are no UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// A program in its sandbox. Dropping it kills everything inside and waits until it is gone.
pub struct Run {
    ready: Ready,
    neighbors: HashMap<String, i32>,
    init: Init,
    ends: Ends,
    outputs: [Output; 2],
    parked: Parked,
    ended: Option<Ended>,
    excess: Option<Excess>,
    /// Whether a wait came to nothing, and COMMAND has not been released since.
    hung: bool,
}

impl Run {
    pub(crate) fn new(
        ready: Ready,
        neighbors: HashMap<String, i32>,
        init: Init,
        ends: Ends,
    ) -> Run {
        let (outputs, parked) = Default::default();
        Run {
            ready,
            neighbors,
            init,
            ends,
            outputs,
            parked,
            ended: None,
            excess: None,
            hung: false,
        }
    }

    /// The program's main process.
    pub fn program(&self) -> &Process {
        &self.ready.program
    }

    /// The uid and the gid that the program started with, as they are here. They are read from the
    /// sandbox's PID 1, which the program cannot change.
    pub fn ids(&self) -> Option<[u32; 2]> {
        self.init.0.ids()
    }

    /// The namespaces that the program found when it started.
    pub fn lab(&self) -> &Namespaces {
        &self.ready.lab
    }

    /// The mounts that the program found when it started.
    pub fn mounts(&self) -> &[Mount] {
        &self.ready.mounts
    }

    /// The lab's cgroups as they are now, without the uppermost: paths as the lab sees them, such
    /// as `/lab`. At most as many as a lab may have, even if a program keeps making others.
    pub fn cgroups(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(OwnCgroups { root, .. }) = &self.ends.cgroups {
            for folder in cgroups::below(root) {
                let path = folder.strip_prefix(root).expect("it is below");
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
        let init = &self.init.0;
        let find = || {
            let mut children = init.children().into_iter();
            children.find(|process| process.own_pid_below(init) == Some(pid))
        };
        // While another child ends, the list may lack some (proc(5) about `children`).
        (0..5).find_map(|_| find())
    }

    /// All processes in the sandbox except its PID 1, the neighbors and zombies. Orphans are found
    /// as children of PID 1. If a process may be dying at this moment, ask again: its children may
    /// be missing.
    pub fn processes(&self) -> Vec<Process> {
        processes_below(&self.init.0, &self.neighbors)
    }

    /// What finds those processes while another thread waits for the end of the run.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn inhabitants(&self) -> std::io::Result<Inhabitants> {
        Ok(Inhabitants { init: self.init.0.try_clone()?, neighbors: self.neighbors.clone() })
    }

    /// Waits until none of these processes is left. Returns `false` if some are after the run's patience.
    pub fn await_no_process(&self) -> bool {
        let deadline = Instant::now() + self.patience().unwrap_or_else(patience);
        while !self.processes().is_empty() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// The other side of the program's terminal.
    pub fn terminal(&self) -> Option<&OwnedFd> {
        self.ready.terminal.as_ref()
    }

    /// The path of the witness, as the program sees it.
    pub fn witness(&self) -> &str {
        &self.ends.witness
    }

    /// How long each awaited event may take; `None` for any time.
    pub fn patience(&self) -> Option<Duration> {
        self.ends.patience
    }

    /// Readable when the sandbox has sent something, such as the end of the program. A caller that
    /// copies bytes between terminals polls it, and then calls [`Run::await_end`].
    pub fn poll_fd(&self) -> BorrowedFd<'_> {
        self.ends.report.as_fd()
    }

    pub fn stdout(&self) -> String {
        self.outputs[0].text()
    }

    pub fn stderr(&self) -> String {
        self.outputs[1].text()
    }

    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Whether the program has kept the check waiting in vain.
    pub fn has_hung(&self) -> bool {
        self.hung
    }

    /// Whether the sandbox has ended the program, because it used too much.
    pub fn was_stopped(&self) -> bool {
        self.excess.is_some()
    }

    /// Waits until the witness has been started as COMMAND and is parked.
    pub fn await_witness(&mut self) -> (Wait, Option<Process>) {
        self.await_nth_witness(0)
    }

    /// The same for a script that starts more than one: the witness that was found after `before`
    /// others.
    pub fn await_nth_witness(&mut self, before: usize) -> (Wait, Option<Process>) {
        let wait = self.pump(|run| run.parked.count() > before);
        let witness = self.parked.get(before);
        if witness.is_some() {
            self.parked.taken = self.parked.taken.max(before + 1);
        }
        (wait, witness)
    }

    /// How many witnesses were found beside the `asked` ones of the command line.
    pub fn unexpected_witnesses(&self, asked: usize) -> usize {
        self.parked.count().saturating_sub(self.parked.taken.max(asked).max(1))
    }

    /// Lets every witness exit with `status`, also each that is started later.
    pub fn release(&mut self, status: u8) {
        // Now it can go on.
        self.hung = false;
        self.parked.find(self.processes());
        self.parked.release(status);
    }

    /// Lets the program run, which has stopped itself with SIGSTOP, until it waits for its first child;
    /// kills it; and lets that child run only then. Returns `false` if there was no child.
    ///
    /// # Errors
    ///
    /// `EPERM` if this machine forbids ptrace(2), or the run is recorded.
    pub fn orphan_first_child(&self) -> nix::Result<bool> {
        held::orphan_first_child(self.program(), self.ends.patience.unwrap_or_else(patience))
    }

    /// Waits until the program has ended.
    pub fn await_end(&mut self) -> Wait {
        let wait = self.pump(|run| run.ended.is_some());
        // What was printed before the end is in the pipes by now.
        self.read_streams();
        wait
    }

    /// Ends the run, if it has not ended, and returns what the recorder saw.
    ///
    /// # Errors
    ///
    /// [`NoTrace`] without [`super::Sandbox::record`], if this machine forbids tracing, and if the
    /// recorder does not come to an end within the run's patience. It is killed then.
    pub fn trace(&mut self) -> Result<Trace, NoTrace> {
        let trace = self.ends.trace.take().ok_or(NoTrace::NotRecorded)?;
        let patience = self.ends.patience.unwrap_or_else(patience);
        let deadline = Instant::now() + patience;
        self.init.0.kill();
        self.init.0.await_end(patience);
        recording::trace_from(trace, deadline)
    }

    /// Takes in what arrives until `reached`, at most for the run's patience.
    fn pump(&mut self, reached: impl Fn(&Run) -> bool) -> Wait {
        let wait = self.pump_once(reached);
        self.hung |= wait == Wait::TimedOut;
        wait
    }

    fn pump_once(&mut self, reached: impl Fn(&Run) -> bool) -> Wait {
        let begin = Instant::now();
        let patience = self.ends.patience;
        let patience = patience.map(|it| if self.hung { it / ONCE_MORE } else { it });
        let deadline = patience.map(|patience| begin + patience);
        loop {
            if self.ends.has_witness {
                self.parked.find(self.processes());
            }
            if let Some(excess) = self.excess {
                return Wait::Stopped(excess);
            }
            if reached(self) {
                return Wait::Reached;
            }
            if self.ended.is_some() {
                return Wait::Ended;
            }
            if self.printed() > OUTPUT {
                return Wait::TooMuchOutput;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Wait::TimedOut;
            }
            let Ends { report, streams, .. } = &self.ends;
            let fds = [report, self.init.0.pidfd()].into_iter().chain(streams);
            let mut ready: Vec<_> =
                fds.map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)).collect();
            // Often at first, when a program starts COMMAND, and less often while it runs.
            let look_again = (begin.elapsed() / 8).clamp(LOOK_AGAIN[0], LOOK_AGAIN[1]);
            let look_again = self.ends.has_witness.then_some(look_again);
            let pause = left.into_iter().chain(look_again).min();
            match poll(&mut ready, pause.map_or(PollTimeout::NONE, sys::poll_timeout)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return Wait::TimedOut,
            }
            let ready: Vec<bool> = ready.iter().map(|fd| fd.any() == Some(true)).collect();
            if ready[2..].contains(&true) {
                self.read_streams();
            }
            if ready[0] {
                self.read_report();
            } else if ready[1] {
                self.ended = Some(Ended::KILLED);
            }
        }
    }

    /// Bytes on both streams so far.
    fn printed(&self) -> u64 {
        self.outputs.iter().map(|output| output.total).sum()
    }

    fn read_report(&mut self) {
        let message = wire::receive(self.ends.report.as_fd()).ok().flatten();
        match message.map(|message| Message::from_bytes(&message.bytes)) {
            Some(Some(Message::Ended(ended, excess))) => {
                self.excess = excess;
                self.ended = Some(ended);
            }
            // PID 1 gives up, and ends; or was killed, because it would have reported an end.
            Some(Some(Message::Failed(_))) | None => {
                self.ended.get_or_insert(Ended::KILLED);
            }
            Some(_) => {}
        }
    }

    fn read_streams(&mut self) {
        let mut buffer = [0; 16 * 1024];
        for (fd, output) in self.ends.streams.iter().zip(&mut self.outputs) {
            while let Ok(length @ 1..) = read(fd, &mut buffer) {
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

impl Drop for Run {
    fn drop(&mut self) {
        // The last reference to a namespace destroys it. The ones held here are dropped while the
        // processes inside die, and before `init` waits for their end.
        self.init.0.kill();
    }
}
