//! Named: the signal is missing from the exit status
//! The signal's number is passed on, as it is.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

const NONE: Option<&str> = None;

fn child(words: &[String]) -> ! {
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), NONE).unwrap();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{error}");
    exit(127)
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
        WaitStatus::Signaled(_, signal, _) => exit(signal as i32),
        other => panic!("{other:?}"),
    }
}
