//! Which chapters are solved: a small text file, `.progress`, at the top of the checkout.
//!
//! A line is a chapter, a hash of the program when it was checked, the outcome, how many hints have been
//! shown, a hash of the exercise as it was handed out then, one of the program in which the reader has
//! said what is wrong, and the number of the backup that is the reader's own program:
//! `ch03-clone 6b1f0c… failed:2 1 09ab… 0 0`. The last three may be missing. A line `challenge ch03-clone
//! only-the-child` is a challenge that was done. Other lines are dropped.
//! If the file is lost, the chapters have to be checked again.

use std::fs;
use std::path::PathBuf;

use crate::shared::chapter::{Chapter, read, root};
use crate::shared::failure::Result;
use crate::shared::screen;

/// What the last check of a chapter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Unchecked,
    /// At this step; 0 is the compiler.
    Failed(u32),
    Solved,
    /// Those steps, too, without which a chapter is solved.
    SolvedFurther,
    /// `catch-up` has put the solution there, because the reader goes on without having solved it.
    CaughtUp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub chapter: String,
    /// Of the program that was checked.
    pub hash: u64,
    pub state: State,
    /// How many have been shown.
    pub hints: usize,
    /// Of the exercise that the program was checked against; 0 in the files of the first edition.
    pub exercise: u64,
    /// Of the program made by `break` of which the reader has said what is wrong with it.
    pub guessed: u64,
    /// The number of the backup that holds the reader's own program, while `break` has put another one in
    /// its place; 0 otherwise.
    pub own: u32,
}

pub struct Progress {
    entries: Vec<Entry>,
    /// Challenges that were done: a chapter and a name.
    challenges: Vec<[String; 2]>,
}

impl Progress {
    pub fn load() -> Progress {
        let text = fs::read_to_string(file()).unwrap_or_default();
        let challenges = text.lines().filter_map(parse_challenge).collect();
        Progress { entries: text.lines().filter_map(parse).collect(), challenges }
    }

    pub fn of(&self, chapter: &Chapter) -> Entry {
        let known = self.entries.iter().find(|entry| entry.chapter == chapter.name).cloned();
        let name = chapter.name.clone();
        let none = Entry {
            chapter: name,
            hash: 0,
            state: State::Unchecked,
            hints: 0,
            exercise: 0,
            guessed: 0,
            own: 0,
        };
        known.unwrap_or(none)
    }

    /// Whether the program as it is now has passed the check as it is now.
    pub fn is_solved(&self, chapter: &Chapter) -> bool {
        let entry = self.of(chapter);
        entry.state.is_solved()
            && entry.hash == hash(chapter)
            && entry.exercise == exercise_hash(chapter)
    }

    /// Whether `catch-up` has passed over it, and the reader has not begun with it since.
    pub fn is_caught_up(&self, chapter: &Chapter) -> bool {
        let entry = self.of(chapter);
        entry.state == State::CaughtUp && entry.hash == hash(chapter)
    }

    /// Whether the program is the solution that `catch-up` has put there. An archive for participants has none, so
    /// there it is always the reader's own.
    pub fn is_given(&self, chapter: &Chapter) -> bool {
        self.is_caught_up(chapter) && chapter.has_solution()
    }

    /// The first chapter to work at.
    pub fn first_unsolved(&self) -> Result<Option<Chapter>> {
        let is_open = |chapter: &Chapter| !self.is_solved(chapter) && !self.is_caught_up(chapter);
        Ok(Chapter::all()?.into_iter().find(is_open))
    }

    /// Keeps an entry. If the file cannot be written, a note says so once, and the command goes on: its
    /// verdict holds all the same.
    pub fn keep(&mut self, entry: Entry) {
        self.entries.retain(|known| known.chapter != entry.chapter);
        self.entries.push(entry);
        self.entries.sort_by(|a, b| a.chapter.cmp(&b.chapter));
        self.write();
    }

    /// Whether a challenge of a chapter was done.
    pub fn has_done(&self, chapter: &Chapter, challenge: &str) -> bool {
        self.challenges.iter().any(|[of, name]| *of == chapter.name && name == challenge)
    }

    /// Keeps that a challenge was done, as [`Progress::keep`] keeps an entry.
    pub fn keep_challenge(&mut self, chapter: &Chapter, challenge: &str) {
        if !self.has_done(chapter, challenge) {
            self.challenges.push([chapter.name.clone(), challenge.to_owned()]);
            self.challenges.sort();
            self.write();
        }
    }

    fn write(&self) {
        let challenges = self.challenges.iter();
        let challenges = challenges.map(|[chapter, name]| format!("challenge {chapter} {name}\n"));
        let text: String = self.entries.iter().map(line).chain(challenges).collect();
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

impl State {
    pub fn is_solved(self) -> bool {
        matches!(self, State::Solved | State::SolvedFurther)
    }
}

/// A hash of the program as it is now; 0 if it cannot be read.
pub fn hash(chapter: &Chapter) -> u64 {
    fs::read(chapter.program()).map_or(0, |bytes| fnv1a(&bytes))
}

/// A hash of the exercise as it is handed out, which changes when something else is asked.
pub fn exercise_hash(chapter: &Chapter) -> u64 {
    read(&chapter.stub()).map_or(0, |text| fnv1a(text.as_bytes()))
}

fn file() -> PathBuf {
    root().join(".progress")
}

fn line(entry: &Entry) -> String {
    let state = match entry.state {
        State::Unchecked => "unchecked".to_owned(),
        State::Failed(step) => format!("failed:{step}"),
        State::Solved => "solved".to_owned(),
        State::SolvedFurther => "further".to_owned(),
        State::CaughtUp => "caught-up".to_owned(),
    };
    let Entry { chapter, hash, hints, exercise, guessed, own, .. } = entry;
    format!("{chapter} {hash:016x} {state} {hints} {exercise:016x} {guessed:016x} {own}\n")
}

fn parse_challenge(line: &str) -> Option<[String; 2]> {
    let (chapter, name) = line.strip_prefix("challenge ")?.split_once(' ')?;
    Some([chapter, name].map(str::to_owned))
}

fn parse(line: &str) -> Option<Entry> {
    let mut words = line.split_ascii_whitespace();
    let hash = |word: &str| u64::from_str_radix(word, 16).ok();
    let (chapter, program) = (words.next()?.to_owned(), hash(words.next()?)?);
    let state = match words.next()? {
        "unchecked" => State::Unchecked,
        "solved" => State::Solved,
        "further" => State::SolvedFurther,
        "caught-up" => State::CaughtUp,
        failed => State::Failed(failed.strip_prefix("failed:")?.parse().ok()?),
    };
    let hints = words.next()?.parse().ok()?;
    let mut optional = || words.next().map_or(Some(0), hash);
    Some(Entry {
        chapter,
        hash: program,
        state,
        hints,
        exercise: optional()?,
        guessed: optional()?,
        own: words.next().map_or(Some(0), |word| word.parse().ok())?,
    })
}

/// FNV-1a, 64 bits: differs from one edit to the next, and is the same in all versions of Rust.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_the_file() {
        let chapter = "ch03-clone".to_owned();
        for state in [
            State::Unchecked,
            State::Failed(3),
            State::Solved,
            State::SolvedFurther,
            State::CaughtUp,
        ] {
            let chapter = chapter.clone();
            let entry =
                Entry { chapter, hash: 77, state, hints: 2, exercise: 5, guessed: 9, own: 1 };
            assert_eq!(parse(line(&entry).trim_end()), Some(entry));
        }
        let of_the_first_edition = parse("ch03-clone 4d solved 2");
        let (state, exercise) = (State::Solved, 0);
        let entry = Entry { chapter, hash: 77, state, hints: 2, exercise, guessed: 0, own: 0 };
        assert_eq!(of_the_first_edition, Some(entry));
    }

    #[test]
    fn a_challenge_has_a_line_of_another_form() {
        let line = "challenge ch03-clone only-the-child";
        let read = parse_challenge(line).unwrap();
        assert_eq!(read, ["ch03-clone".to_owned(), "only-the-child".to_owned()]);
        assert_eq!(parse(line), None);
        assert_eq!(parse_challenge("ch03-clone 4d solved 2"), None);
    }

    #[test]
    fn a_garbled_line_is_dropped() {
        for garbled in [
            "",
            "ch03-clone",
            "ch03-clone zz solved 0",
            "ch03-clone 0 failed:x 0",
            "ch1 0 solved 0 z",
        ] {
            assert_eq!(parse(garbled), None, "{garbled:?}");
        }
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
