//! Named: the child moves after its birth
//! fork(2) as before, and the child leaves the two namespaces in its first lines.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: there is one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC).expect("unshare");
            sethostname(&args[1]).expect("sethostname");
            let error = Command::new(&args[3]).args(&args[4..]).exec();
            eprintln!("{error}");
            exit(127);
        }
        ForkResult::Parent { child } => {
            // SAFETY: takes two integers.
            let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.as_raw(), 0) };
            assert!(pidfd > 2);
            match waitpid(child, None).expect("waitpid") {
                WaitStatus::Exited(_, code) => exit(code),
                WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
                _ => exit(1),
            }
        }
    }
}
