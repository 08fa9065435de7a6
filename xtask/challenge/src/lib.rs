//! Challenges: states of a lab that a reader reaches with a shell. What counts is what the kernel shows
//! from outside, while the processes run.
//!
//! A chapter's challenges are data, `exercises/chNN-slug/challenges.toml`. Each module imports only those
//! above it:
//!
//! * [`world`] is what was seen at one moment, as text;
//! * [`condition`] is one requirement: facts of a process, or of the lab, and the values they must have;
//! * [`table`] reads a chapter's challenges;
//! * [`verdict`] compares what was seen with what is asked, and knows nothing else;
//! * [`lab`] is the lab in which it is tried;
//! * [`look`] looks at that lab from outside while it runs;
//! * [`watch`] does so again and again, and says what is new.

pub mod world;
pub mod condition;
pub mod table;
pub mod verdict;
pub mod lab;
pub mod look;
pub mod watch;

pub use condition::{Condition, Subject};
pub use look::Onlooker;
pub use table::{Challenge, Wrong, of_chapter};
pub use verdict::{Verdict, judge};
pub use watch::{LASTS, News, Watcher};
pub use world::{Facts, World};
