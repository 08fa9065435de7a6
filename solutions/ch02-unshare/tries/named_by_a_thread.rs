//! Named: COMMAND is in another new namespace than the name
//! Points at: sethostname(
//! A thread that has moved once more sets the name of its own namespace.

use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    let name = words[0].clone();
    let named = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWUTS).unwrap();
        sethostname(name).unwrap();
    });
    named.join().unwrap();
    exit(Command::new(&words[2]).args(&words[3..]).status().unwrap().code().unwrap_or(1))
}
