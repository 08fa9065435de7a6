//! Named: another signal comes to COMMAND
//! Whatever arrives, COMMAND is asked to end.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn run(child: Pid, set: &SigSet) -> i32 {
    loop {
        if set.wait() != Ok(Signal::SIGCHLD) {
            let _ = kill(child, Signal::SIGTERM);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child => return code,
                Ok(WaitStatus::Signaled(pid, by, _)) if pid == child => return 128 + by as i32,
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => (),
            }
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    use Signal::*;
    let set = SigSet::from_iter([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]);
    let before = set.thread_swap_mask(SigmaskHow::SIG_SETMASK).unwrap();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: there is one thread in each process.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        exit(run(child, &set));
    }
    // SAFETY: the same.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        exit(run(child, &set));
    }
    before.thread_set_mask().unwrap();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{error}");
    exit(127)
}
