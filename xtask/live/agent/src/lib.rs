//! The agent of the machine that runs in a page of the book. It is root of that machine and outside of the
//! reader's lab: it makes labs, and says what the kernel shows of the processes in them.
//!
//! ```text
//! the page                     the machine in it
//!   terminal  ◀── ttyS0 ──▶      console: the terminal of the lab's shell
//!   agent.js  ◀── ttyS1 ──▶      one request a line, one answer a line, both JSON
//! ```
//!
//! A request has a member `do` and an `id`, which its answer repeats. An answer has a member `ok` with the
//! result, or `error`: one sentence.

mod console;
mod inspect;
mod labs;
mod serve;
mod boot;

pub use boot::main;
pub use serve::serve;
