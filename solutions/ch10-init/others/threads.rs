//! Two threads in each of both processes: one waits for children, the other for signals.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

const PASSED_ON: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn look_after(child: Pid) -> i32 {
    thread::spawn(move || {
        loop {
            let signal = SigSet::from_iter(PASSED_ON).wait().expect("sigwait");
            _ = kill(child, signal);
        }
    });
    loop {
        // waitpid(2) waits for the children of all threads.
        match waitpid(None, None).expect("waitpid") {
            WaitStatus::Exited(pid, code) if pid == child => return code,
            WaitStatus::Signaled(pid, signal, _) if pid == child => return 128 + signal as i32,
            _ => {}
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let blocked = SigSet::from_iter(PASSED_ON);
    let old_mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    // After unshare(CLONE_NEWPID) this process could start no thread.
    let flags = libc::CLONE_NEWPID | libc::SIGCHLD;
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let init = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if let init @ 1.. = Errno::result(init).expect("clone") {
        exit(look_after(Pid::from_raw(init as i32)));
    }
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child));
    }
    old_mask.thread_set_mask().expect("sigprocmask");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}
