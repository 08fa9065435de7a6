//! Named: one status for each SIGCHLD
//! Each SIGCHLD is answered with one waitpid(2).

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn supervise(child: Pid, set: &SigSet) -> ! {
    loop {
        let signal = set.wait().expect("sigwait");
        if signal != Signal::SIGCHLD {
            _ = kill(child, signal);
            continue;
        }
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => exit(code),
            Ok(WaitStatus::Signaled(pid, by, _)) if pid == child => exit(128 + by as i32),
            _ => {}
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut set = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ] {
        set.add(signal);
    }
    set.thread_block().unwrap();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: there is one thread in each process.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        supervise(child, &set);
    }
    // SAFETY: the same.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        supervise(child, &set);
    }
    set.thread_unblock().unwrap();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{error}");
    exit(127)
}
