//! Refused by step 4: a name that is too long is cut off, so that COMMAND runs under another one.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    let name = &words[0][..words[0].len().min(64)];
    nix::unistd::sethostname(name).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
