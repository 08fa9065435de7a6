//! Refused by step 3: the new `/proc` is mounted in the lab, and unmounted when COMMAND has ended.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        let status = waitpid(child, None).expect("waitpid");
        umount("/proc").expect("umount");
        exit(exit_code(status));
    }
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
    // A mount namespace of COMMAND's own, after the mount.
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}

fn exit_code(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}
