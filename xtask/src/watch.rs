//! `cargo xtask watch [CHAPTER]`: checks again whenever the reader saves.

use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios};

use crate::chapter::Chapter;
use crate::failure::{Failure, Result};
use crate::progress::{self, Progress, State};
use crate::screen::{self, Screen};
use crate::{check, hint};

/// How long to wait between two looks at the files.
const LOOK: Duration = Duration::from_millis(150);

pub(crate) fn run(words: &[&str]) -> Result {
    let mut chapter = match words {
        [] => first_unsolved()?,
        [chapter] => Chapter::find(chapter)?,
        _ => return Err(Failure::usage("usage: cargo xtask watch [CHAPTER]")),
    };
    let screen = Screen::stdout();
    let keys = Keys::read();
    loop {
        if screen.terminal {
            // Clear, and to the upper left.
            screen::print("\x1b[2J\x1b[H");
        }
        // Looked at before the check: what is saved meanwhile is checked next.
        let seen = saved(&chapter);
        if !check::check(&chapter, false)?.compiles {
            screen::print("\nit does not compile yet\n");
        }
        let menu = if keys.is_some() {
            "[h]int  [n]ext chapter  [q]uit  [enter] check again"
        } else {
            "waiting for the next save"
        };
        screen::print(&format!("\n{menu}\n"));
        loop {
            match keys.as_ref().and_then(Keys::pressed) {
                Some(b'q') | Some(3) | Some(4) => return Ok(ExitCode::SUCCESS),
                Some(b'h') => screen::print(&format!("\n{}", hint::next(&chapter, "one more")?)),
                Some(b'n') => {
                    chapter = after(&chapter)?;
                    break;
                }
                Some(b'\n' | b'\r') => break,
                Some(_) => {}
                None if keys.is_none() => std::thread::sleep(LOOK),
                None => {}
            }
            if saved(&chapter) != seen {
                break;
            }
        }
    }
}

fn first_unsolved() -> Result<Chapter> {
    let progress = Progress::load();
    let all = Chapter::all()?;
    let solved = |chapter: &&Chapter| {
        let entry = progress.of(chapter);
        entry.state == State::Solved && entry.hash == progress::hash(chapter)
    };
    let open = all.iter().find(|chapter| !solved(chapter)).or(all.last());
    open.cloned().ok_or_else(|| Failure::new("there is no chapter"))
}

/// The chapter that follows; after the last the first.
fn after(chapter: &Chapter) -> Result<Chapter> {
    let all = Chapter::all()?;
    Ok(all.iter().find(|other| *other > chapter).or(all.first()).unwrap_or(chapter).clone())
}

/// Times and sizes of the exercise's sources: what a save changes.
fn saved(chapter: &Chapter) -> Vec<(String, Option<SystemTime>, u64)> {
    let entries = fs::read_dir(chapter.exercise().join("src")).into_iter().flatten();
    let rust =
        entries.flatten().filter(|entry| entry.path().extension().is_some_and(|kind| kind == "rs"));
    let mut files: Vec<_> = rust
        .map(|entry| {
            let about = entry.metadata().ok();
            let size = about.as_ref().map_or(0, |about| about.len());
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, about.and_then(|about| about.modified().ok()), size)
        })
        .collect();
    files.sort();
    files
}

/// Single keys from a terminal, which is put back when this is dropped.
struct Keys {
    before: Termios,
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
        // Ctrl-C arrives as a key, so that every way out passes through `drop`.
        keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
        keys.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        keys.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        termios::tcsetattr(&stdin, SetArg::TCSANOW, &keys).ok()?;
        Some(Keys { before })
    }

    /// The key that was pressed, waiting a little for one. 4 when there will never be another.
    fn pressed(&self) -> Option<u8> {
        let stdin = std::io::stdin();
        let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO);
        if !poll(&mut ready, timeout).is_ok_and(|ready| ready > 0) {
            return None;
        }
        let mut key = [0];
        match stdin.lock().read(&mut key) {
            Ok(1) => Some(key[0]),
            _ => Some(4),
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, &self.before);
    }
}
