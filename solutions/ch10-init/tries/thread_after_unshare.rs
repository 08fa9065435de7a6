//! Named: the process outside has ended
//! Each of the two passes signals on in a thread of its own, and starts it when it knows its child.

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

fn look_after(child: Pid, set: SigSet) -> i32 {
    std::thread::spawn(move || {
        loop {
            let signal = set.wait().unwrap();
            kill(child, signal).unwrap();
        }
    });
    loop {
        match waitpid(None, None).unwrap() {
            WaitStatus::Exited(pid, code) if pid == child => return code,
            WaitStatus::Signaled(pid, by, _) if pid == child => return 128 + by as i32,
            _ => {}
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let set = SigSet::from_iter(FORWARDED);
    let before = set.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK).unwrap();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    for _ in 0..2 {
        // SAFETY: there is one thread in each process.
        if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
            exit(look_after(child, set));
        }
    }
    before.thread_set_mask().unwrap();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("exec: {error}");
    exit(127);
}
