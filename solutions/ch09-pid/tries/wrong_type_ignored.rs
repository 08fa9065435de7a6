//! Named: an error was ignored
//! Points at: mount("proc", "/proc", "procfs"
//! The type of the file system is wrong, and what mount(2) returns is thrown away.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn setup() {
    let none = None::<&str>;
    let _ = unshare(CloneFlags::CLONE_NEWNS);
    let _ = mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none);
    let _ = mount(Some("proc"), "/proc", Some("procfs"), MsFlags::empty(), none);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let _ = unshare(CloneFlags::CLONE_NEWPID);
    // SAFETY: there is one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => exit(code),
            WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
            _ => exit(1),
        }
    }
    setup();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{error}");
    exit(127)
}
