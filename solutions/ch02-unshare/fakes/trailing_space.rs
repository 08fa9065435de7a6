//! Refused by step 2: the host name has a space at its end.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    sethostname(format!("{} ", words[0])).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
