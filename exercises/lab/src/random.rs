//! Values that a program cannot guess.
//!
//! A grader may want the same ones again: that two students, or two gradings of one program, are not judged by
//! different inputs. With a seed, [`random`] draws a sequence that nobody can continue who does not have the
//! seed. It never reaches a sandbox.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Read as _;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::env;

/// A word with a random end, such as `name-3f9a1c`. If it is read back from the kernel, it was put
/// there in this run.
pub fn token(word: &str) -> String {
    with_end(word, random())
}

/// The same, with another end in every process that asks: a name on this machine, where others run too.
pub(crate) fn unique(word: &str) -> String {
    with_end(word, unseeded())
}

fn with_end(word: &str, number: u64) -> String {
    format!("{word}-{:06x}", number & 0xff_ffff)
}

/// A name of as many random letters.
pub fn letters(length: Range<u64>) -> String {
    let length = length.start + random() % (length.end - length.start);
    (0..length).map(|_| char::from(b'a' + (random() % 26) as u8)).collect()
}

/// A random number.
pub fn random() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    match seed() {
        Some(seed) => number_of(seed, DRAWN.fetch_add(1, Ordering::Relaxed)),
        None => unseeded(),
    }
}

/// A random time below this one, for waiting: never from the seed, of which a loop that waits would use up
/// more or less.
pub fn moment(below: Duration) -> Duration {
    Duration::from_nanos(unseeded() % below.as_nanos().max(1) as u64)
}

fn unseeded() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

/// The seed of this process, if its parent has one for it.
fn seed() -> Option<[u64; 2]> {
    static SEED: OnceLock<Option<[u64; 2]>> = OnceLock::new();
    *SEED.get_or_init(|| {
        // The supervisor has the variable and not the descriptor.
        let file = std::env::var_os(env::SEED).filter(|_| !env::is_supervisor())?;
        let mut bytes = [0; 16];
        File::open(file).and_then(|mut file| file.read_exact(&mut bytes)).unwrap_or_else(|error| {
            // Inputs that nobody asked for would look like those of the seed.
            panic!("could not read the seed: {error}")
        });
        let (one, other) = bytes.split_at(8);
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        Some([number(one), number(other)])
    })
}

/// The numbers of a seed: SipHash-2-4 of where they stand, a function that is made for keys that nobody finds out
/// from what it returns.
fn number_of([one, other]: [u64; 2], place: u64) -> u64 {
    #[expect(deprecated, reason = "the successor may use another function with every release")]
    let mut hasher = std::hash::SipHasher::new_with_keys(one, other);
    hasher.write(&place.to_le_bytes());
    hasher.finish()
}

/// A pid that no process of a sandbox has: the numbers start from 1, and do not get as far as this. It is
/// never the highest that they could get to, which is always the same.
pub fn absent_pid() -> i32 {
    200 + (random() % 199) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_one_sequence() {
        let drawn = |seed| [0, 1, 2].map(|place| number_of(seed, place));
        assert_eq!(drawn([1, 2]), drawn([1, 2]));
        for other in [[2, 1], [1, 3], [0, 2]] {
            assert_eq!(drawn([1, 2]).iter().filter(|it| drawn(other).contains(it)).count(), 0);
        }
        // J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", vectors.h: the key is the bytes
        // 0 to 15, the text 0 to 7.
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        assert_eq!(number_of(key, 0x0706_0504_0302_0100), 0x93f5_f579_9a93_2462);
    }

    #[test]
    fn without_a_seed_nothing_is_drawn_twice() {
        assert_eq!(seed(), None);
        let drawn: std::collections::BTreeSet<u64> = (0..100).map(|_| random()).collect();
        assert_eq!(drawn.len(), 100);
        assert!((0..100).all(|_| moment(Duration::from_millis(2)) < Duration::from_millis(2)));
    }
}
