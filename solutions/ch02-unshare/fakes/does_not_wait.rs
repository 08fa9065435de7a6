//! Refused by step 3: it ends while COMMAND is still running.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    sethostname(&words[0]).expect("sethostname");
    Command::new(&words[2]).args(&words[3..]).spawn().expect("execve");
    exit(0);
}
