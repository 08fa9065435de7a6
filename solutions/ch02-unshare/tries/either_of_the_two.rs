//! Named: an error was ignored
//! Points at: sethostname(
//! `or` is happy when one of the two calls succeeds.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = unshare(CloneFlags::CLONE_NEWUTS).or(sethostname(&words[0])) {
        eprintln!("{error}");
        exit(1);
    }
    exit(Command::new(&words[2]).args(&words[3..]).status().unwrap().code().unwrap_or(1))
}
