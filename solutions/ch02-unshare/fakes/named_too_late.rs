//! Refused by step 2: COMMAND runs already when its namespace gets the name.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    let mut child = Command::new(&words[2]).args(&words[3..]).spawn().expect("execve");
    sethostname(&words[0]).expect("sethostname");
    exit(child.wait().expect("waitpid").code().unwrap_or(1));
}
