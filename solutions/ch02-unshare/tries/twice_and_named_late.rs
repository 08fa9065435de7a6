//! Named: COMMAND is in another new namespace than the name
//! Points at: sethostname(
//! Both processes call unshare(2), to be sure, and the parent names its own namespace.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    let mut command = Command::new(&words[2]);
    command.args(&words[3..]);
    // SAFETY: unshare(2) may be called after a fork.
    unsafe { command.pre_exec(|| Ok(unshare(CloneFlags::CLONE_NEWUTS)?)) };
    let mut child = command.spawn().unwrap();
    sethostname(&words[0]).unwrap();
    exit(child.wait().unwrap().code().unwrap_or(1))
}
