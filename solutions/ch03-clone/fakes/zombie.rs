//! Refused by step 4: it reads the status and leaves the zombie.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut pidfd = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: this process has one thread, and without a stack of its own the child runs on a copy of its
    // parent's. The kernel writes one int.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) as i32 };
    if pid == 0 {
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("execve: {error}");
        exit(127);
    }
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let child = Id::Pid(nix::unistd::Pid::from_raw(pid));
    match waitid(child, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("waitid") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
