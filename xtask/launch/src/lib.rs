//! Follows a build of cargo's and shows how far it is.
//!
//! Cargo's own progress bar says how many crates are built and which are being compiled, and is read
//! from a pipe. On a terminal this becomes one line that is drawn over and taken away at the end;
//! elsewhere one line says what is being built. What the compiler complains about is passed on.

mod estimate;
mod line;
mod said;
mod tool;

use std::io::{IsTerminal as _, Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

pub use said::plain;
pub use tool::Tool;

use line::Progress;
use said::Said;

/// What is built, for the reader.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// Such as `xtask`.
    pub what: &'a str,
    /// How long all of it takes from nothing, in words: `a minute`.
    pub first_time: &'a str,
    /// Whether a terminal may show how far it is.
    pub draws: bool,
}

/// A build that is quicker than this is not worth a word.
const UNNOTICED: Duration = Duration::from_millis(300);

/// In a pipe a line stays, so a reader gets one only if so much is to be compiled, or if so much time has
/// passed before cargo says how much it is.
const WORTH_A_LINE: u32 = 5;
const SILENCE: Duration = Duration::from_secs(2);

/// The line is drawn again that often.
const TICK: Duration = Duration::from_millis(200);

/// Makes cargo say how far it is, on a pipe. [`follow`] reads it.
pub fn prepare(cargo: &mut Command) {
    let colour = Terminal::stderr().is_some_and(|terminal| terminal.colour);
    cargo
        .env("CARGO_TERM_COLOR", if colour { "always" } else { "never" })
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        // Wide enough for the names of all crates that are compiled at once.
        .env("CARGO_TERM_PROGRESS_WIDTH", "200")
        // A quiet cargo would not say that it waits for another one.
        .env("CARGO_TERM_QUIET", "false")
        .stderr(Stdio::piped());
}

/// Reads what cargo says until it ends, and shows how far it is. Returns what cargo and the compiler
/// complained about, without colours; the reader has seen it by then.
pub fn follow(stderr: impl Read + Send + 'static, build: Build) -> String {
    let (sender, pieces) = mpsc::channel();
    let mut display = Display::new(build, Terminal::stderr().filter(|_| build.draws));
    // Reading waits, and the line has to be drawn meanwhile.
    // The receiver is there until this sender is gone.
    let read = move || said::pieces(stderr, |piece| _ = sender.send(piece));
    if let Err(error) = thread::Builder::new().spawn(read) {
        // What cargo says is lost then, and it may end by the closed pipe.
        write(&format!("note: could not follow the build: {error}\n"));
    }
    let mut complaints = String::new();
    loop {
        match pieces.recv_timeout(TICK) {
            Ok(piece) => match said::parse(&plain(&piece)) {
                Said::Blocking(why) => display.blocked(why),
                Said::Status(what) => display.status(what),
                Said::Progress { done, total, names } => display.progress(done, total, names),
                Said::Nothing => {}
                Said::Complaint(text) => {
                    complaints.push_str(&format!("{text}\n"));
                    display.pass_on(&piece);
                }
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        display.draw();
    }
    display.clear();
    complaints
}

/// Standard error, if it is a terminal whose last line can be drawn over.
#[derive(Clone, Copy)]
struct Terminal {
    colour: bool,
}

impl Terminal {
    fn stderr() -> Option<Terminal> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|kind| kind == "dumb");
        let terminal = Terminal { colour: set("NO_COLOR").is_none() };
        (std::io::stderr().is_terminal() && !dumb).then_some(terminal)
    }

    /// The width of the line. A terminal may change its size at any time.
    fn columns() -> usize {
        line::columns().unwrap_or(80)
    }
}

/// What the reader sees of a build.
struct Display<'a> {
    build: Build<'a>,
    terminal: Option<Terminal>,
    start: Instant,
    progress: Progress,
    /// What cargo does while there is no number to tell.
    doing: String,
    drawn: String,
    /// In a pipe: the one line has been written.
    told: bool,
    /// Cargo is waiting for another one, and the reader knows.
    blocked: bool,
}

impl<'a> Display<'a> {
    fn new(build: Build<'a>, terminal: Option<Terminal>) -> Display<'a> {
        Display {
            build,
            terminal,
            start: Instant::now(),
            progress: Progress::default(),
            doing: String::new(),
            drawn: String::new(),
            told: false,
            blocked: false,
        }
    }

    fn status(&mut self, what: String) {
        (self.doing, self.blocked) = (what, false);
    }

    fn progress(&mut self, done: u32, total: u32, names: String) {
        (self.doing, self.blocked) = (String::new(), false);
        self.progress.update(done, total, names);
    }

    /// Cargo waits for another one, however long that takes.
    fn blocked(&mut self, why: String) {
        if self.terminal.is_none() {
            write(&format!("note: another cargo is at work; {why}\n"));
        }
        self.doing = format!("another cargo is at work; {why}");
        self.blocked = true;
        self.start = Instant::now() - UNNOTICED;
    }

    fn pass_on(&mut self, line: &str) {
        self.clear();
        write(&format!("{line}\n"));
    }

    fn draw(&mut self) {
        let Build { what, first_time, .. } = self.build;
        if self.terminal.is_none() {
            let is_long = match self.progress.left() {
                Some(left) => left >= WORTH_A_LINE,
                None => self.start.elapsed() >= SILENCE && !self.blocked,
            };
            if !self.told && is_long {
                self.told = true;
                write(&format!("building {what}; the first time this takes about {first_time}\n"));
            }
            return;
        }
        if self.start.elapsed() < UNNOTICED {
            return;
        }
        let room = Terminal::columns().saturating_sub(1);
        let line = match self.doing.as_str() {
            "" if self.progress.is_known() => self.progress.line(what, room),
            "" => line::fitting(
                &[&format!("building {what}"), &format!(": about {first_time} the first time")],
                room,
            ),
            doing if self.blocked => line::fitting(&[doing], room),
            doing => line::fitting(&[&format!("building {what}"), &format!(": {doing}")], room),
        };
        if line != self.drawn {
            write(&format!("\r\x1b[K{line}"));
            self.drawn = line;
        }
    }

    fn clear(&mut self) {
        if !std::mem::take(&mut self.drawn).is_empty() {
            write("\r\x1b[K");
        }
    }
}

/// To standard error. Nobody can be told that this failed.
fn write(text: &str) {
    _ = std::io::stderr().write_all(text.as_bytes());
}
