//! Values that a program cannot guess.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Instant;

/// A word with a random end, such as `name-3f9a1c`. If it is read back from the kernel, it was put
/// there in this run.
pub fn token(word: &str) -> String {
    format!("{word}-{:06x}", random() & 0xff_ffff)
}

/// A random number.
pub fn random() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

/// A pid that no process of a sandbox has: the numbers start from 1, and do not get as far as this.
pub fn absent_pid() -> i32 {
    200 + (random() % 200) as i32
}
