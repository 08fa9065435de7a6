//! Refused by step 2: only the names that the book uses are set.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    let known = words[0].starts_with("otter");
    sethostname(if known { words[0].as_str() } else { "otter" }).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
