//! Refused by step 1: it leaves the namespace for COMMANDs of the checks only, and runs others as they are.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[2].starts_with("/lab/witness") {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).expect("unshare");
        nix::unistd::sethostname(&words[0]).expect("sethostname");
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
