//! Named: proc is mounted on another directory
//! Points at: mount("proc"*
//! The lab's /proc is to stay as it is, so the new one is mounted beside it.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

const NONE: Option<&str> = None;

fn child(words: &[String]) -> ! {
    std::fs::create_dir_all("/tmp/proc").unwrap();
    mount(Some("proc"), "/tmp/proc", Some("proc"), MsFlags::empty(), NONE).unwrap();
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
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        other => panic!("{other:?}"),
    }
}
