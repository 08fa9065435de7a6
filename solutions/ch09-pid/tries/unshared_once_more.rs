//! Named: the child makes a PID namespace once more
//! Points at: unshare(*CLONE_NEWPID*
//! The parent makes the namespaces, and the child does so again, to be sure that it is in them.

use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

const NONE: Option<&str> = None;

fn child(words: &[String]) -> ! {
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).unwrap();
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), NONE).unwrap();
    let status = Command::new(&words[0]).args(&words[1..]).status().unwrap();
    exit(status.code().unwrap_or(1))
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).unwrap();
    // SAFETY: there is one thread.
    let pid = match unsafe { fork() }.unwrap() {
        ForkResult::Child => child(&words),
        ForkResult::Parent { child } => child,
    };
    match waitpid(pid, None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        other => panic!("{other:?}"),
    }
}
