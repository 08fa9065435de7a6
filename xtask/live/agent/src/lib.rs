//! The agent of the machine that runs in a page of the book. It is root of that machine and outside of the
//! reader's lab: it makes labs, and says what the kernel shows of the processes in them.
//!
//! ```text
//! the page                     the machine in it
//!   terminal  ◀── ttyS0 ──▶      console: the terminal of the lab's shell
//!   agent     ◀── ttyS1 ──▶      one request a line, one answer or event a line, all of them JSON
//! ```
//!
//! A request has a member `do` and an `id`, which its answer repeats. An answer has a member `ok` with the
//! result, or `error`: one sentence.
//!
//! | `do` | takes | gives |
//! |---|---|---|
//! | `ping` | | `pong` |
//! | `clock` | `seconds` | sets the machine's clock |
//! | `seed` | `bytes`, 64 hexadecimal digits | mixes them into the kernel's random numbers, which a saved machine would repeat |
//! | `lab` | `state`, `ids`, `cgroups`, `view` | ends the lab before, and starts a shell in a new one |
//! | `challenge` | `table`, a chapter's `challenges.toml`; `name`; `view` | the same, in the lab of a challenge, which is judged from then on |
//! | `draw` | `view`, or none | what is drawn of the lab from now on |
//! | `awake` | `awake` | whether the lab is looked at |
//! | `run` | `script`, and the members of `lab` | what a script printed in a lab of its own |
//! | `settle` | | gives memory back that the kernel has kept for later, before the machine is saved, and how much is free |
//! | `inspect` | | what the kernel shows of each process in the lab |
//!
//! An event has a member `event`: `picture` with `svg`; `challenge` with `state` (`done`, `wrong`, `not yet`) and
//! `text`, the table that shows it or what is wrong; `over` when the lab's shell has ended.

mod confine;
mod console;
mod events;
mod inspect;
mod random;
mod watch;
mod labs;
mod serve;
mod boot;

pub use boot::main;
pub use serve::serve;
