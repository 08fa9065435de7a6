//! Named: unshare(CLONE_NEWPID) is called in the child
//! Points at: mount(
//! All that is new is made in the child, its PID namespace as well.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn become_init() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
    mount::<str, str, str, str>(None, "/", None, MsFlags::MS_SLAVE | MsFlags::MS_REC, None)?;
    mount::<str, str, str, str>(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    // SAFETY: there is one thread.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            if let Err(errno) = become_init() {
                eprintln!("cannot become init: {errno}");
                exit(1);
            }
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("cannot execute: {error}");
            exit(127);
        }
        Ok(ForkResult::Parent { child }) => match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => exit(code),
            _ => exit(1),
        },
        Err(errno) => panic!("fork: {errno}"),
    }
}
