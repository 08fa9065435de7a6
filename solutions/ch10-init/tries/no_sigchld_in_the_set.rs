//! Named: SIGCHLD is not blocked
//! The set for sigwait(3) has the six signals, and not the one that reports the end of a child.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn pass_on(child: Pid, set: &SigSet) -> ! {
    while let Ok(signal) = set.wait() {
        let _ = kill(child, signal);
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            match status {
                WaitStatus::Exited(pid, code) if pid == child => exit(code),
                WaitStatus::Signaled(pid, by, _) if pid == child => exit(128 + by as i32),
                WaitStatus::StillAlive => break,
                _ => {}
            }
        }
    }
    exit(1)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut set = SigSet::empty();
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGINT);
    set.add(Signal::SIGHUP);
    set.add(Signal::SIGQUIT);
    set.add(Signal::SIGUSR1);
    set.add(Signal::SIGUSR2);
    set.thread_block().expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    for _ in ["outside", "PID 1"] {
        // SAFETY: there is one thread in each process.
        if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
            pass_on(child, &set);
        }
    }
    set.thread_unblock().expect("sigprocmask");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("exec: {error}");
    exit(127);
}
