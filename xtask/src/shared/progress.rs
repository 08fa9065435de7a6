//! Which chapters are solved: a small text file, `.progress`, at the top of the checkout.
//!
//! A line is a chapter, a hash of the program when it was checked, the outcome, and how many hints
//! have been shown: `ch03-clone 6b1f0c… failed:2 1`. Other lines are dropped.
//! If the file is lost, the chapters have to be checked again.

use std::fs;
use std::path::PathBuf;

use crate::shared::chapter::{Chapter, root};
use crate::shared::failure::Result;
use crate::shared::screen;

/// What the last check of a chapter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Unchecked,
    /// At this step; 0 is the compiler.
    Failed(u32),
    Solved,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) chapter: String,
    /// Of the program that was checked.
    pub(crate) hash: u64,
    pub(crate) state: State,
    /// How many have been shown.
    pub(crate) hints: usize,
}

pub(crate) struct Progress(Vec<Entry>);

impl Progress {
    pub(crate) fn load() -> Progress {
        let text = fs::read_to_string(file()).unwrap_or_default();
        Progress(text.lines().filter_map(parse).collect())
    }

    pub(crate) fn of(&self, chapter: &Chapter) -> Entry {
        let known = self.0.iter().find(|entry| entry.chapter == chapter.name).cloned();
        let name = chapter.name.clone();
        known.unwrap_or(Entry { chapter: name, hash: 0, state: State::Unchecked, hints: 0 })
    }

    /// Whether the program as it is now has passed its check.
    pub(crate) fn is_solved(&self, chapter: &Chapter) -> bool {
        let entry = self.of(chapter);
        entry.state == State::Solved && entry.hash == hash(chapter)
    }

    /// The first chapter that is not.
    pub(crate) fn first_unsolved(&self) -> Result<Option<Chapter>> {
        Ok(Chapter::all()?.into_iter().find(|chapter| !self.is_solved(chapter)))
    }

    /// Keeps an entry. If the file cannot be written, a note says so once, and the command goes on: its
    /// verdict holds all the same.
    pub(crate) fn keep(&mut self, entry: Entry) {
        self.0.retain(|known| known.chapter != entry.chapter);
        self.0.push(entry);
        self.0.sort_by(|a, b| a.chapter.cmp(&b.chapter));
        let text: String = self.0.iter().map(line).collect();
        let temporary = file().with_extension("new");
        let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, file()));
        if let Err(error) = written {
            static ONCE: std::sync::Once = std::sync::Once::new();
            ONCE.call_once(|| {
                let file = file();
                screen::warn(&format!(
                    "note: progress is not kept: `{}`: {error}\n",
                    file.display()
                ));
            });
        }
    }
}

/// A hash of the program as it is now; 0 if it cannot be read.
pub(crate) fn hash(chapter: &Chapter) -> u64 {
    fs::read(chapter.program()).map_or(0, |bytes| fnv1a(&bytes))
}

fn file() -> PathBuf {
    root().join(".progress")
}

fn line(entry: &Entry) -> String {
    let state = match entry.state {
        State::Unchecked => "unchecked".to_owned(),
        State::Failed(step) => format!("failed:{step}"),
        State::Solved => "solved".to_owned(),
    };
    format!("{} {:016x} {state} {}\n", entry.chapter, entry.hash, entry.hints)
}

fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split_ascii_whitespace();
    let (chapter, hash) = (words.next()?.to_owned(), u64::from_str_radix(words.next()?, 16).ok()?);
    let state = match words.next()? {
        "unchecked" => State::Unchecked,
        "solved" => State::Solved,
        failed => State::Failed(failed.strip_prefix("failed:")?.parse().ok()?),
    };
    Some(Entry { chapter, hash, state, hints: words.next()?.parse().ok()? })
}

/// FNV-1a, 64 bits: differs from one edit to the next, and is the same in all versions of Rust.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_the_file() {
        for state in [State::Unchecked, State::Failed(3), State::Solved] {
            let entry = Entry { chapter: "ch03-clone".into(), hash: 77, state, hints: 2 };
            assert_eq!(parse(line(&entry).trim_end()), Some(entry));
        }
    }

    #[test]
    fn a_garbled_line_is_dropped() {
        for garbled in
            ["", "ch03-clone", "ch03-clone zz solved 0", "ch03-clone 0 failed:x 0", "\u{7f}"]
        {
            assert_eq!(parse(garbled), None, "{garbled:?}");
        }
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
