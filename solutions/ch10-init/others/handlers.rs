//! Installs handlers, which only note the signal, and lets them run only during sigsuspend(2).

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, kill, sigaction, sigprocmask,
};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

const PASSED_ON: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// One bit for each signal that has arrived.
static NOTED: AtomicU64 = AtomicU64::new(0);

extern "C" fn note(signal: i32) {
    NOTED.fetch_or(1 << signal, Ordering::SeqCst);
}

fn look_after(child: Pid, before: &SigSet) -> i32 {
    loop {
        let noted = NOTED.swap(0, Ordering::SeqCst);
        for signal in PASSED_ON {
            if noted & (1 << signal as i32) != 0 {
                _ = kill(child, signal);
            }
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child => return code,
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                    return 128 + signal as i32;
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                _ => {}
            }
        }
        // Unblocks the signals and waits in one step, so that none can arrive between the two.
        // SAFETY: the set outlives the call.
        unsafe { libc::sigsuspend(before.as_ref()) };
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let (mut held, mut before) = (SigSet::from_iter(PASSED_ON), SigSet::empty());
    held.add(Signal::SIGCHLD);
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&held), Some(&mut before)).expect("sigprocmask");
    for signal in held.iter() {
        let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler only accesses an atomic integer, which is async-signal-safe.
        unsafe { sigaction(signal, &action) }.expect("sigaction");
    }
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &before));
    }
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &before));
    }
    // An exec resets handlers, but a signal that one of them notes before that would be lost.
    for signal in held.iter() {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: SIG_DFL installs no handler.
        unsafe { sigaction(signal, &default) }.expect("sigaction");
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None).expect("sigprocmask");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}
