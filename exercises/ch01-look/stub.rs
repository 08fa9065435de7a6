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

/// The links in `/proc/PID/ns`, one for each kind of namespace.
const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

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

/// Prints a line for each kind of namespace that this kernel has.
fn look(one: &str, two: &str) -> Result<()> {
    for kind in KINDS {
        match share(one, two, kind)? {
            Some(true) => println!("{kind} same"),
            Some(false) => println!("{kind} other"),
            None => {}
        }
    }
    Ok(())
}

/// Whether two processes are in the same namespace of this kind, or `None` if
/// the kernel does not have the kind.
fn share(one: &str, two: &str, kind: &str) -> Result<Option<bool>> {
    // TODO: compare the namespaces that the two links /proc/PID/ns/KIND lead to. Man pages: namespaces(7), stat(2).
    // TODO: return an error instead of an answer if a process cannot be examined. Man page: proc(5).
    let _ = (one, two, kind);
    Ok(Some(true))
}
