//! Named: the parent outside waits only for PID 1
//! The process outside has one child of its own, and waits for that one.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn signals() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM] {
        set.add(signal);
    }
    set.add(Signal::SIGUSR1);
    set.add(Signal::SIGUSR2);
    set
}

fn watch(child: Pid, which: Option<Pid>) -> i32 {
    let set = signals();
    loop {
        let signal = set.wait().expect("sigwait");
        if signal != Signal::SIGCHLD {
            kill(child, signal).ok();
            continue;
        }
        while let Ok(status) = waitpid(which, Some(WaitPidFlag::WNOHANG)) {
            match status {
                WaitStatus::Exited(pid, code) if pid == child => return code,
                WaitStatus::Signaled(pid, signal, _) if pid == child => {
                    return 128 + signal as i32;
                }
                WaitStatus::StillAlive => break,
                _ => {}
            }
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mask = signals().thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: there is one thread in each process.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(watch(child, Some(child)));
    }
    // SAFETY: the same.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(watch(child, None));
    }
    mask.thread_set_mask().expect("sigprocmask");
    eprintln!("{}", Command::new(&words[0]).args(&words[1..]).exec());
    exit(127)
}
