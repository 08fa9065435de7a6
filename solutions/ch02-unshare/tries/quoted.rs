//! Named: something is added to the name
//! Points at: sethostname(
//! `{:?}` is the form that compiles for an `OsStr`, and it writes quotation marks.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    sethostname(format!("{:?}", words[0])).unwrap();
    exit(Command::new(&words[2]).args(&words[3..]).status().unwrap().code().unwrap_or(1))
}
