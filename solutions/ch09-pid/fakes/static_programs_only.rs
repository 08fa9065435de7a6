//! Refused by step 3: a COMMAND that needs a loader is started in the lab's PID namespace.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let file = std::fs::read(&words[0]).unwrap_or_default();
    let is_static = !file.windows(4).any(|name| name == b"/ld-");
    if is_static {
        unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    }
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(exit_code(waitpid(child, None).expect("waitpid")));
    }
    if is_static {
        mount_proc();
    }
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

fn exit_code(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}
