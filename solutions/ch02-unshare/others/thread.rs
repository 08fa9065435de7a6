//! A second thread moves, and starts COMMAND: the rest of the process stays in the lab.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let run = move || {
        unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
        sethostname(&words[0]).expect("sethostname");
        let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
        status
    };
    let status = std::thread::spawn(run).join().expect("a thread that has not panicked");
    exit(status.code().unwrap_or(1));
}
