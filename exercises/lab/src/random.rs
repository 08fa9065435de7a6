//! Values that a program cannot guess.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::time::Instant;

/// A word with a random end, such as `name-3f9a1c`. If it is read back from the kernel, it was put
/// there in this run.
pub fn token(word: &str) -> String {
    format!("{word}-{:06x}", random() & 0xff_ffff)
}

/// A name of as many random letters.
pub fn letters(length: Range<u64>) -> String {
    let length = length.start + random() % (length.end - length.start);
    (0..length).map(|_| char::from(b'a' + (random() % 26) as u8)).collect()
}

/// A random number.
pub fn random() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

/// A pid that no process of a sandbox has: the numbers start from 1, and do not get as far as this. It is
/// never the highest that they could get to, which is always the same.
pub fn absent_pid() -> i32 {
    200 + (random() % 199) as i32
}
