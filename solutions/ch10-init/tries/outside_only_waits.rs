//! Named: a signal to the process outside does not come to COMMAND
//! Signals are blocked in both processes, and only PID 1 takes them.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal::*, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}

fn init(command: Pid, set: SigSet) -> i32 {
    loop {
        match set.wait().unwrap() {
            SIGCHLD => {}
            signal => kill(command, signal).unwrap_or_default(),
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(status) if status.pid() == Some(command) => return code(status).unwrap(),
                Ok(status) if status.pid().is_some() => continue,
                _ => break,
            }
        }
    }
}

fn main() -> nix::Result<()> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let set: SigSet =
        [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2].into_iter().collect();
    let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    unshare(CloneFlags::CLONE_NEWPID)?;
    // SAFETY: there is one thread in each process.
    if let ForkResult::Parent { child } = unsafe { fork()? } {
        exit(code(waitpid(child, None)?).unwrap_or(1));
    }
    // SAFETY: the same.
    if let ForkResult::Parent { child } = unsafe { fork()? } {
        exit(init(child, set));
    }
    before.thread_set_mask()?;
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{error}");
    exit(127)
}
