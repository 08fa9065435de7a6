//! Named: PID 1 waits in waitpid(2) after an orphan's end
//! At a SIGCHLD it asks until its child is among the answers, and forgets the flag that keeps it from waiting.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

const FORWARDED: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn look_after(child: Pid, set: &SigSet) -> i32 {
    loop {
        let signal = set.wait().unwrap();
        if FORWARDED.contains(&signal) {
            kill(child, signal).unwrap();
            continue;
        }
        loop {
            match waitpid(None, None) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child => return code,
                Ok(WaitStatus::Signaled(pid, by, _)) if pid == child => return 128 + by as i32,
                Err(_) => break,
                Ok(_) => {}
            }
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut set = SigSet::from_iter(FORWARDED);
    set.add(Signal::SIGCHLD);
    let before = set.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK).unwrap();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    for _ in 0..2 {
        // SAFETY: there is one thread in each process.
        if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
            exit(look_after(child, &set));
        }
    }
    before.thread_set_mask().unwrap();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("exec: {error}");
    exit(127);
}
