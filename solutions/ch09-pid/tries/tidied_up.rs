//! Named: /proc was mounted over the lab's
//! Points at: mount("proc"
//! The child mounts /proc for all, and the parent unmounts it when COMMAND has ended.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn new_proc() -> Result<(), String> {
    let none: Option<&str> = None;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)
        .map_err(|e| format!("proc: {e}"))
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            if let Err(text) = new_proc() {
                eprintln!("{text}");
                exit(1);
            }
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("exec: {error}");
            exit(127)
        }
        ForkResult::Parent { child } => {
            let status = waitpid(child, None).unwrap();
            umount("/proc").unwrap();
            match status {
                WaitStatus::Exited(_, code) => exit(code),
                WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
                _ => exit(1),
            }
        }
    }
}
