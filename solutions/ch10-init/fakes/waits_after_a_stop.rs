//! Refused by step 3: a SIGCHLD makes the process outside wait for the end of PID 1, also when it was only stopped.

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
    let blocked = SigSet::from_iter(BLOCKED);
    let old_mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &blocked));
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
            signal => {
                _ = kill(child, signal);
                continue;
            }
        }
        if let Some(status) = reap(child) {
            return status;
        }
    }
}

fn reap(child: Pid) -> Option<i32> {
    let flags = (Pid::this().as_raw() == 1).then_some(WaitPidFlag::WNOHANG);
    loop {
        match waitpid(None, flags) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return None,
            Ok(WaitStatus::Exited(pid, code)) if pid == child => return Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                return Some(128 + signal as i32);
            }
            _ => {}
        }
    }
}
