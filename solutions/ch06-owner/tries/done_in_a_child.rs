//! Named: another process made the call
//! A child makes the namespaces, maps itself and sets the name. It ends, and its parent starts COMMAND.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getgid, getuid, sethostname};

fn setup(name: &str) {
    let (uid, gid) = (getuid(), getgid());
    unshare(
        CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC,
    )
    .expect("unshare");
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).expect("uid_map");
    std::fs::write("/proc/self/setgroups", "deny").expect("setgroups");
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).expect("gid_map");
    sethostname(name).expect("sethostname");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            setup(&words[0]);
            exit(0);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None).expect("waitpid");
        }
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
