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

use crate::reader::check::{self, Audience};
use crate::reader::hint::{self, Which};
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::progress::{Progress, fnv1a};
use crate::shared::screen::{self, Screen};

/// How long to wait between two looks at the files.
const LOOK: Duration = Duration::from_millis(150);

/// How long the files must stay the same to be taken for saved: an editor writes in several steps.
const REST: Duration = Duration::from_millis(30);

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
        // Looked at before the check: what is saved meanwhile is checked next.
        let before = saved(&chapter);
        if let Some(trouble) = check::check(&chapter, Audience::Reader).trouble {
            trouble.say();
        }
        screen::print(menu);
        loop {
            match wish(&chapter, &before, keys.as_ref()) {
                Wish::Again => break,
                Wish::Quit => return Ok(ExitCode::SUCCESS),
                Wish::Hint => {
                    screen::print(&format!("\n{}{menu}", hint::next(&chapter, Which::Next)?));
                }
                Wish::Next => {
                    chapter = after(&chapter)?;
                    break;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a reader goes on who names no chapter.
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
enum Wish {
    Again,
    Hint,
    Next,
    Quit,
}

/// Waits for a key or a save.
fn wish(chapter: &Chapter, before: &[Saved], keys: Option<&Keys>) -> Wish {
    loop {
        match keys.map(Keys::pressed) {
            Some(Key::Pressed(b'q') | Key::Gone) => return Wish::Quit,
            Some(Key::Pressed(b'h')) => return Wish::Hint,
            Some(Key::Pressed(b'n')) => return Wish::Next,
            Some(Key::Pressed(b'\n' | b'\r')) => return Wish::Again,
            Some(Key::Pressed(_) | Key::None) => {}
            None => sleep(LOOK),
        }
        let mut now = saved(chapter);
        if now == before {
            continue;
        }
        loop {
            sleep(REST);
            let then = std::mem::replace(&mut now, saved(chapter));
            if now == then {
                return Wish::Again;
            }
        }
    }
}

/// Name, time and content of a file: what a save changes.
type Saved = (String, Option<SystemTime>, u64);

/// The exercise's sources as they are.
fn saved(chapter: &Chapter) -> Vec<Saved> {
    let entries = fs::read_dir(chapter.exercise().join("src")).into_iter().flatten().flatten();
    let rust = entries.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "rs"));
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

/// Single keys from a terminal, which is put back when this is dropped, or a signal ends us.
struct Keys;

/// How the terminal was.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();

enum Key {
    Pressed(u8),
    None,
    /// There will never be another one.
    Gone,
}

impl Keys {
    /// `None` where standard input is no terminal: then only saving counts.
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

    /// The key that was pressed, waiting a little for one.
    fn pressed(&self) -> Key {
        let stdin = std::io::stdin();
        let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO);
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
        put_back();
    }
}

fn put_back() {
    if let Some(before) = BEFORE.get() {
        // SAFETY: tcsetattr reads a termios that tcgetattr has filled.
        unsafe { libc::tcsetattr(0, libc::TCSANOW, before) };
    }
}

/// The terminal as it was, and the status that a shell gives to a program killed by a signal.
extern "C" fn on_signal(signal: libc::c_int) {
    put_back();
    // SAFETY: write reads one byte, for a prompt on a line of its own. _exit ends the process at
    // once, and what it has started ends with it.
    unsafe {
        libc::write(2, c"\n".as_ptr().cast(), 1);
        libc::_exit(128 + signal)
    }
}
