//! Named: COMMAND starts with signals blocked
//! The mask that PID 1 needs is not taken back for COMMAND.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

const SIGNALS: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

struct Keeper {
    child: Pid,
    set: SigSet,
}

impl Keeper {
    fn run(&self) -> i32 {
        loop {
            let signal = self.set.wait().expect("sigwait");
            if signal != Signal::SIGCHLD {
                _ = kill(self.child, signal);
            }
            while let Ok(status) = waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                match status {
                    WaitStatus::StillAlive => break,
                    WaitStatus::Exited(pid, code) if pid == self.child => return code,
                    WaitStatus::Signaled(pid, by, _) if pid == self.child => {
                        return 128 + by as i32;
                    }
                    _ => {}
                }
            }
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let set = SigSet::from_iter(SIGNALS);
    set.thread_block().expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: there is one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(Keeper { child, set }.run());
    }
    match Command::new(&words[0]).args(&words[1..]).spawn() {
        Ok(command) => exit(Keeper { child: Pid::from_raw(command.id() as i32), set }.run()),
        Err(error) => {
            eprintln!("{}: {error}", words[0]);
            exit(127)
        }
    }
}
