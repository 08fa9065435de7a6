//! Named: COMMAND starts before the program has left
//! COMMAND is started first, and then its parent moves. A child does not follow its parent.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn().expect("spawn");
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    sethostname(&args[1]).expect("sethostname");
    exit(child.wait().expect("wait").code().unwrap_or(1));
}
