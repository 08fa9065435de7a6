//! Named: SIGCHLD is ignored
//! A tip against zombies: let the kernel reap, by ignoring SIGCHLD.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn status_of(child: Pid) -> i32 {
    match waitpid(child, None) {
        Ok(WaitStatus::Exited(_, code)) => code,
        Ok(WaitStatus::Signaled(_, signal, _)) => 128 + signal as i32,
        Ok(_) => 1,
        Err(errno) => {
            eprintln!("waitpid: {errno}");
            1
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: there is one thread in each process, and no handler is installed.
    unsafe {
        if let ForkResult::Parent { child } = fork().expect("fork") {
            exit(status_of(child));
        }
        signal(Signal::SIGCHLD, SigHandler::SigIgn).expect("signal");
        if let ForkResult::Parent { child } = fork().expect("fork") {
            exit(status_of(child));
        }
    }
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("exec: {error}");
    exit(127);
}
