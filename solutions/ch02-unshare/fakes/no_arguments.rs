//! Refused by step 1: COMMAND is started without its ARGS.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).expect("unshare");
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
