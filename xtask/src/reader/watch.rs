//! `cargo xtask watch [CHAPTER]`: checks again whenever the reader saves.

use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices};

use crate::reader::check::{self, Manner};
use crate::reader::hint::{self, Which};
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::progress::{Progress, fnv1a};
use crate::shared::screen::{self, Screen};

/// How long to wait before the files are looked at again.
const INTERVAL: Duration = Duration::from_millis(150);

/// How long the files must stay the same to count as saved: an editor writes in several steps.
const SETTLED: Duration = Duration::from_millis(30);

pub(crate) const USAGE: Usage =
    Usage { name: "watch", forms: &[("[CHAPTER]", "check again whenever you save")], options: &[] };

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let mut named = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Value(name) if named.is_none() => named = Some(Chapter::find(name)?),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let mut chapter = match named {
        Some(chapter) => chapter,
        None => first()?,
    };
    let keys = Keys::read();
    let menu = match keys {
        Some(_) => "\n[h]int  [n]ext chapter  [q]uit  [enter] check again\n",
        None => "\nwaiting for the next save\n",
    };
    while !screen::closed() {
        if Screen::stdout().terminal {
            // Clear, and to the upper left.
            screen::print("\x1b[2J\x1b[H");
        }
        // Read before the check, so that a save during the check starts the next one.
        let before = saved(&chapter);
        if let Some(trouble) = check::check(&chapter, &Manner::default()).trouble {
            trouble.print();
        }
        screen::print(menu);
        loop {
            match request(&chapter, &before, keys.as_ref()) {
                Request::Again => break,
                Request::Quit => return Ok(ExitCode::SUCCESS),
                Request::Hint => {
                    screen::print(&format!("\n{}{menu}", hint::next(&chapter, Which::Next)?));
                }
                Request::Next => {
                    chapter = after(&chapter)?;
                    break;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The chapter to check if none is named.
fn first() -> Result<Chapter> {
    let first = match Progress::load().first_unsolved()? {
        Some(chapter) => Some(chapter),
        None => Chapter::all()?.pop(),
    };
    first.ok_or_else(|| Failure::new("there is no chapter"))
}

/// The chapter that follows; after the last the first.
fn after(chapter: &Chapter) -> Result<Chapter> {
    let next = match chapter.next()? {
        Some(next) => Some(next),
        None => Chapter::all()?.into_iter().next(),
    };
    Ok(next.unwrap_or_else(|| chapter.clone()))
}

/// What to do next.
enum Request {
    Again,
    Hint,
    Next,
    Quit,
}

/// Waits for a key or a save.
fn request(chapter: &Chapter, before: &[Saved], keys: Option<&Keys>) -> Request {
    loop {
        match keys.map(Keys::pressed) {
            Some(Key::Pressed(b'q') | Key::Gone) => return Request::Quit,
            Some(Key::Pressed(b'h')) => return Request::Hint,
            Some(Key::Pressed(b'n')) => return Request::Next,
            Some(Key::Pressed(b'\n' | b'\r')) => return Request::Again,
            Some(Key::Pressed(_) | Key::None) => {}
            None => sleep(INTERVAL),
        }
        let mut now = saved(chapter);
        if now == before {
            continue;
        }
        loop {
            sleep(SETTLED);
            let then = std::mem::replace(&mut now, saved(chapter));
            if now == then {
                return Request::Again;
            }
        }
    }
}

/// Name, time and content of a file: what a save changes.
type Saved = (String, Option<SystemTime>, u64);

/// The exercise's sources as they are. Hidden files are an editor's own: Emacs locks `main.rs` by a
/// symbolic link `.#main.rs`.
fn saved(chapter: &Chapter) -> Vec<Saved> {
    let entries = fs::read_dir(chapter.exercise().join("src")).into_iter().flatten().flatten();
    let rust = entries.filter(|entry| {
        let is_rust = entry.path().extension().is_some_and(|kind| kind == "rs");
        is_rust && !entry.file_name().as_encoded_bytes().starts_with(b".")
    });
    let mut files: Vec<Saved> = rust
        .map(|entry| {
            let time = entry.metadata().and_then(|about| about.modified()).ok();
            let content = fs::read(entry.path()).map_or(0, |bytes| fnv1a(&bytes));
            (entry.file_name().to_string_lossy().into_owned(), time, content)
        })
        .collect();
    files.sort();
    files
}

/// Single keys from a terminal. Its mode is restored when this is dropped, or when a signal ends this
/// process.
struct Keys;

/// The terminal's mode before.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();

enum Key {
    Pressed(u8),
    None,
    /// The terminal is gone.
    Gone,
}

impl Keys {
    /// `None` if standard input is no terminal: then only a save starts a check.
    fn read() -> Option<Keys> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let before = termios::tcgetattr(&stdin).ok()?;
        let mut keys = before.clone();
        keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        keys.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        keys.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        BEFORE.set(before.into()).ok()?;
        let action =
            SigAction::new(SigHandler::Handler(on_signal), SaFlags::empty(), SigSet::empty());
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            // SAFETY: the handler calls nothing that is not async-signal-safe.
            _ = unsafe { sigaction(signal, &action) };
        }
        termios::tcsetattr(&stdin, SetArg::TCSANOW, &keys).ok()?;
        Some(Keys)
    }

    /// Waits a moment for a key.
    fn pressed(&self) -> Key {
        let stdin = std::io::stdin();
        let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(INTERVAL).unwrap_or(PollTimeout::ZERO);
        if !poll(&mut ready, timeout).is_ok_and(|ready| ready > 0) {
            return Key::None;
        }
        let mut key = [0];
        match stdin.lock().read(&mut key) {
            Ok(1) => Key::Pressed(key[0]),
            _ => Key::Gone,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if let Some(before) = BEFORE.get() {
        // SAFETY: tcsetattr reads a termios that tcgetattr has filled.
        unsafe { libc::tcsetattr(0, libc::TCSANOW, before) };
    }
}

/// Restores the terminal and ends with the status that a shell reports for a program killed by a signal.
extern "C" fn on_signal(signal: libc::c_int) {
    restore();
    // The newline puts the shell's prompt on a line of its own. The processes that this one has started
    // end with it.
    // SAFETY: write reads one byte, and _exit does not return.
    unsafe {
        libc::write(2, c"\n".as_ptr().cast(), 1);
        libc::_exit(128 + signal)
    }
}
