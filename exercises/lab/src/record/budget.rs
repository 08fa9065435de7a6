//! How much of a run a recorder keeps, and for how much of it it looks.

use trace::{Event, Trace};

/// How many events a trace keeps. A program that makes more of them does the same again and again.
const EVENTS: usize = 2000;

/// How many bytes of JSON its events may be. One call may change thousands of mounts.
pub(crate) const KEPT: usize = 4 << 20;

/// How many bytes about mounts and interfaces are read for it. Each call may make the recorder look
/// at all of them, and the check that waits for the trace waits for that.
const READ: usize = 16 << 20;

/// A trace in the form in which it is handed over, so that it is in memory once.
pub(super) struct Budget {
    lines: String,
    events: usize,
    /// Events that found no room.
    dropped: u64,
    /// Bytes about mounts and interfaces.
    read: usize,
}

impl Budget {
    pub(super) fn new(program: Vec<String>) -> Budget {
        let trace = Trace { program, ..Trace::default() };
        Budget { lines: trace.opening() + "\n", events: 0, dropped: 0, read: 0 }
    }

    /// Whether nothing more will be kept, so that looking is of no use.
    pub(super) fn is_full(&self) -> bool {
        self.events >= EVENTS || self.read >= READ
    }

    /// Counts what was read about mounts or interfaces.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.read += bytes;
    }

    /// Keeps an event, or counts it. A trace has no gaps: nothing comes after the first one that
    /// found no room.
    pub(super) fn keep(&mut self, event: &Event) {
        if !self.is_full() {
            let line = event.to_json() + "\n";
            if self.lines.len() + line.len() <= KEPT {
                self.lines += &line;
                self.events += 1;
                return;
            }
            self.events = EVENTS;
        }
        self.drop_event();
    }

    /// Counts an event that is not kept.
    pub(super) fn drop_event(&mut self) {
        self.dropped += 1;
    }

    /// The whole trace as JSON Lines.
    pub(super) fn finish(self) -> String {
        let trace = Trace { dropped: self.dropped, ..Trace::default() };
        self.lines + &trace.ending() + "\n"
    }
}
