//! Named: the end of the process outside is not noticed
//! COMMAND is what has to end, so COMMAND's process makes the call. Its parent is PID 1.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

const SIGNALS: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn watched() -> SigSet {
    let mut set = SigSet::from_iter(SIGNALS);
    set.add(Signal::SIGCHLD);
    set
}

/// The status of `child`, if it is among those that have ended.
fn reap(child: Pid) -> Option<i32> {
    let mut found = None;
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        match status {
            WaitStatus::StillAlive => break,
            WaitStatus::Exited(pid, code) if pid == child => found = Some(code),
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                found = Some(128 + signal as i32)
            }
            _ => {}
        }
    }
    found
}

fn look_after(child: Pid) -> Result<i32> {
    loop {
        let signal = watched().wait().context("sigwait")?;
        if signal != Signal::SIGCHLD {
            _ = kill(child, signal);
        } else if let Some(code) = reap(child) {
            return Ok(code);
        }
    }
}

fn init(words: &[String]) -> Result<i32> {
    // SAFETY: there is one thread.
    match unsafe { fork() }.context("fork")? {
        ForkResult::Child => {
            // SAFETY: takes two integers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            _ = watched().thread_unblock();
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("{error}");
            exit(127)
        }
        ForkResult::Parent { child } => look_after(child),
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    watched().thread_block().context("sigprocmask")?;
    unshare(CloneFlags::CLONE_NEWPID).context("unshare")?;
    // SAFETY: there is one thread.
    match unsafe { fork() }.context("fork")? {
        ForkResult::Child => exit(init(&words).unwrap_or(1)),
        ForkResult::Parent { child } => exit(look_after(child)?),
    }
}
