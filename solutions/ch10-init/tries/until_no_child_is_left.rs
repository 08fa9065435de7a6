//! Named: PID 1 waits for every child
//! Both processes wait until waitpid(2) answers ECHILD.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

fn serve(main_child: Pid, signals: SigSet) -> i32 {
    let mut result = 1;
    loop {
        match signals.wait() {
            Ok(Signal::SIGCHLD) => {}
            Ok(other) => {
                let _ = kill(main_child, other);
            }
            Err(_) => continue,
        }
        loop {
            match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == main_child => result = code,
                Ok(WaitStatus::Signaled(pid, sig, _)) if pid == main_child => {
                    result = 128 + sig as i32;
                }
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) => {}
                Err(Errno::ECHILD) => return result,
                Err(errno) => panic!("waitpid: {errno}"),
            }
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    use Signal::*;
    let signals: SigSet =
        [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2].into_iter().collect();
    let old = signals.thread_swap_mask(SigmaskHow::SIG_SETMASK).unwrap();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: there is one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        exit(serve(child, signals));
    }
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    // SAFETY: sets a mask.
    unsafe { command.pre_exec(move || Ok(old.thread_set_mask()?)) };
    let child = command.spawn().expect("spawn");
    exit(serve(Pid::from_raw(child.id() as i32), signals));
}
