//! ch01-look: which namespaces two processes share.
//!
//! Usage: `ch01-look PID PID`
//!
//! When it is finished (here for a shell and for a process in a UTS namespace of its own):
//!
//! ```text
//! # ch01-look $$ 7
//! user same
//! mnt same
//! pid same
//! net same
//! uts other
//! ipc same
//! cgroup same
//! time same
//! ```
//!
//! Check it with `cargo xtask check ch1`.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [one, two] => look(&one.to_string_lossy(), &two.to_string_lossy()),
        _ => Err(anyhow!("usage: ch01-look PID PID")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch01-look: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line for each kind of namespace that this kernel has: `same` if both are in one, else `other`.
fn look(one: &str, two: &str) -> Result<()> {
    // TODO: which files say in which namespaces a process is, and when are two of them the same? Man
    // pages: namespaces(7), stat(2).
    // TODO: what does your program do if it cannot examine one of the two, and what if this kernel does
    // not have a kind? Man page: proc(5).
    _ = (one, two);
    Ok(())
}
