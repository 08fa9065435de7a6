//! Refused by step 4: nobody looks at the result of unshare(2), so that the lab is renamed where it fails.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let _ = unshare(CloneFlags::CLONE_NEWUTS);
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
