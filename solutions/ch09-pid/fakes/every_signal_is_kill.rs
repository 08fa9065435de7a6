//! Refused by step 4: whichever signal ends COMMAND, the status is that of SIGKILL.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => code,
            _ => 137,
        });
    }
    mount_proc();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}

fn mount_proc() {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
}
