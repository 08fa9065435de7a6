//! The child moves, between fork(2) and execve(2), and the program itself stays in the lab.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let name = words[0].clone();
    let mut command = Command::new(&words[2]);
    let leave = move || {
        unshare(CloneFlags::CLONE_NEWUTS)?;
        Ok(sethostname(&name)?)
    };
    // SAFETY: the closure makes two system calls, and does not allocate.
    let mut child = unsafe { command.args(&words[3..]).pre_exec(leave) }.spawn().expect("execve");
    exit(child.wait().expect("waitpid").code().unwrap_or(1));
}
