//! Needs no child: the program moves, and then executes COMMAND in its own place.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare(CLONE_NEWUTS)");
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    // Harmless: without a flag, unshare(2) succeeds and changes nothing.
    unshare(CloneFlags::empty()).expect("unshare(0)");
    let error = Command::new(&words[2]).args(&words[3..]).exec();
    panic!("execve: {error}");
}
