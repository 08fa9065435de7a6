//! PID 1 is the program once more, by an exec of `/proc/self/exe` with a first argument of its own.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
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

fn look_after(child: Pid) -> ! {
    loop {
        match SigSet::from_iter(BLOCKED).wait().expect("sigwait") {
            Signal::SIGCHLD => {}
            signal => _ = kill(child, signal),
        }
        if let Some(status) = reap(child) {
            exit(status);
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

fn become_command(words: &[String]) -> ! {
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{} cannot be executed: {error}", words[0]);
    exit(127);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "init" {
        // SAFETY: this process has one thread.
        if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
            look_after(child);
        }
        SigSet::empty().thread_set_mask().expect("sigprocmask");
        become_command(&words[1..]);
    }
    SigSet::from_iter(BLOCKED).thread_block().expect("sigprocmask");
    let flags = libc::CLONE_NEWPID | libc::SIGCHLD;
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let init = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match Errno::result(init).expect("clone") {
        0 => {
            let mut again = vec!["/proc/self/exe".to_owned(), "init".to_owned()];
            again.extend_from_slice(&words[1..]);
            become_command(&again)
        }
        init => look_after(Pid::from_raw(init as i32)),
    }
}
