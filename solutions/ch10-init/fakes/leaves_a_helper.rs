//! Refused by step 4: the program leaves a process in the lab if COMMAND was killed.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

const BLOCKED: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut helper = Command::new("sleep").arg("60").spawn().expect("execve");
    let blocked = SigSet::from_iter(BLOCKED);
    let old_mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        let status = look_after(child, &blocked);
        if status < 128 {
            _ = helper.kill();
            _ = helper.wait();
        }
        exit(status);
    }
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &blocked));
    }
    old_mask.thread_set_mask().expect("sigprocmask");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}

fn look_after(child: Pid, blocked: &SigSet) -> i32 {
    loop {
        match blocked.wait().expect("sigwait") {
            Signal::SIGCHLD => {}
            signal => _ = kill(child, signal),
        }
        if let Some(status) = reap(child) {
            return status;
        }
    }
}

fn reap(child: Pid) -> Option<i32> {
    let mut found = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return found,
            Ok(WaitStatus::Exited(pid, code)) if pid == child => found = Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                found = Some(128 + signal as i32);
            }
            _ => {}
        }
    }
}
