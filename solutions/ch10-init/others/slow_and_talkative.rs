//! Takes its time before each call, and comments on all it does, on both streams.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

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

fn say(words: &str) {
    for _ in 0..500 {
        println!("[{}] {words}", std::process::id());
        eprintln!("warning: {words}: Invalid argument (os error 22)");
    }
}

fn look_after(child: Pid, blocked: &SigSet) -> i32 {
    loop {
        let signal = blocked.wait().expect("sigwait");
        println!("got {signal}");
        if signal != Signal::SIGCHLD {
            sleep(Duration::from_millis(10));
            _ = kill(child, signal);
        }
        if let Some(status) = reap(child) {
            say("it has ended");
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
    say("about to block the signals");
    let blocked = SigSet::from_iter(BLOCKED);
    let old_mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    sleep(Duration::from_millis(100));
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &blocked));
    }
    say("this is PID 1");
    sleep(Duration::from_millis(100));
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &blocked));
    }
    sleep(Duration::from_millis(100));
    old_mask.thread_set_mask().expect("sigprocmask");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    println!("{}: {error}", words[0]);
    exit(127);
}
