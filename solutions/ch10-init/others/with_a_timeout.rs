//! As tini(1) does it: waits for a signal for a second at most, and reaps after each turn.

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

fn look_after(child: Pid, blocked: &SigSet) -> i32 {
    let second = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    loop {
        // SAFETY: the set and the time outlive the call, and the null pointer asks for no siginfo_t.
        let number = unsafe {
            libc::sigtimedwait(blocked.as_ref(), std::ptr::null_mut(), &raw const second)
        };
        if number > 0 && number != libc::SIGCHLD {
            _ = kill(child, Signal::try_from(number).expect("one of the set"));
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

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let blocked = SigSet::from_iter(BLOCKED);
    let old_mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    for _ in ["the parent of PID 1", "PID 1"] {
        // SAFETY: this process has one thread.
        if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
            exit(look_after(child, &blocked));
        }
    }
    old_mask.thread_set_mask().expect("sigprocmask");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}
