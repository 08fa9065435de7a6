//! Watching a lab while a reader tries a challenge in it.

use std::io;
use std::time::{Duration, Instant};

use harness::sandbox::Run;

use crate::look::Onlooker;
use crate::table::Challenge;
use crate::verdict::{Verdict, judge};

/// How long a state must last before it counts. Between two calls of a program a lab may look like anything.
pub const LASTS: Duration = Duration::from_millis(300);

/// What has become of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// With the table and the facts that show it, as `cargo xtask check` shows them.
    Done(String),
    /// With what is said of this way.
    Wrong(String),
    NotYet,
}

/// Looks at one lab again and again, and says what is new.
pub struct Watcher {
    challenge: Challenge,
    onlooker: Onlooker,
    lasting: Lasting,
}

impl Watcher {
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn of(challenge: Challenge, run: &Run) -> io::Result<Watcher> {
        Ok(Watcher { challenge, onlooker: Onlooker::of(run)?, lasting: Lasting::default() })
    }

    /// Whether the reader's shell has ended.
    pub fn is_over(&self) -> bool {
        self.onlooker.is_over()
    }

    /// Looks once. `None` as long as nothing is new, or what is new has not lasted.
    pub fn look(&mut self) -> Option<News> {
        let sight = self.onlooker.look(&self.challenge)?;
        let verdict = judge(&self.challenge, &sight.world);
        let seen = match &verdict {
            Verdict::Done(_) => Seen::Done,
            Verdict::Wrong(wrong) => Seen::Wrong(wrong.say.clone()),
            Verdict::NotYet => Seen::NotYet,
        };
        self.lasting.note(seen, Instant::now())?;
        Some(match verdict {
            Verdict::Done(meant) => {
                News::Done(self.onlooker.report(&sight, &meant).unwrap_or_default())
            }
            Verdict::Wrong(wrong) => News::Wrong(wrong.say.clone()),
            Verdict::NotYet => News::NotYet,
        })
    }
}

/// A verdict without the moment that it is about.
#[derive(Clone, PartialEq)]
enum Seen {
    Done,
    Wrong(String),
    NotYet,
}

/// What was seen last, since when, and what of it has been said.
#[derive(Default)]
struct Lasting {
    last: Option<(Seen, Instant)>,
    said: Option<Seen>,
}

impl Lasting {
    /// What is seen, once it has lasted.
    fn note(&mut self, seen: Seen, now: Instant) -> Option<Seen> {
        let since = match &self.last {
            Some((last, since)) if *last == seen => *since,
            _ => now,
        };
        self.last = Some((seen.clone(), since));
        if now.duration_since(since) < LASTS || self.said.as_ref() == Some(&seen) {
            return None;
        }
        self.said = Some(seen.clone());
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_last_is_not_said_and_what_is_said_is_said_once() {
        let begin = Instant::now();
        let mut lasting = Lasting::default();
        let wrong = || Seen::Wrong("renamed".to_owned());
        for (after, seen, is_said) in [
            (0, Seen::NotYet, false),
            (400, Seen::NotYet, true),
            (800, Seen::NotYet, false),
            (900, Seen::Done, false),
            (1000, Seen::NotYet, false),
            (1100, wrong(), false),
            (1500, wrong(), true),
            (1600, Seen::NotYet, false),
            (2000, Seen::NotYet, true),
            // The same way once more.
            (2100, wrong(), false),
            (2500, wrong(), true),
            (2600, Seen::Done, false),
            (3000, Seen::Done, true),
        ] {
            let said = lasting.note(seen.clone(), begin + Duration::from_millis(after));
            assert!(said == is_said.then_some(seen), "after {after} ms");
        }
    }
}
