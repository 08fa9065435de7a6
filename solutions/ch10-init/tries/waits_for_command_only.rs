//! Named: orphans stay zombies
//! PID 1 starts COMMAND and waits for its pid, and for nothing else.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: there is one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let mut child = Command::new(&words[0]).args(&words[1..]).spawn().expect("spawn");
            let status = child.wait().expect("wait");
            exit(status.code().unwrap_or(1));
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
    }
}
