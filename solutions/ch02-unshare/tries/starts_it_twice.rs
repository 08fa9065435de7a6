//! Named: COMMAND runs more than once
//! `output` is for a look at what COMMAND prints, and `status` for its status.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    sethostname(&args[1]).unwrap();
    let mut command = Command::new(&args[3]);
    command.args(&args[4..]);
    let output = command.output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    exit(command.status().unwrap().code().unwrap_or(1));
}
