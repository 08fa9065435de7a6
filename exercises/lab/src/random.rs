//! Values that nobody can guess.

/// A word that nobody can guess, such as `name-3f9a1c`: what is read back from the kernel was put
/// there in this run.
pub fn token(word: &str) -> String {
    format!("{word}-{:06x}", random() & 0xff_ffff)
}

/// A random number.
pub fn random() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::time::Instant::now())
}
