//! Named: another process made the call
//! A child leaves the namespace, sets the name and ends. COMMAND is started by its parent.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWUTS).unwrap();
            sethostname(&args[1]).unwrap();
            exit(0);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None).unwrap();
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
