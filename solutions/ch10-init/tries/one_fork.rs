//! Named: COMMAND is PID 1 itself
//! The child of the one fork() executes COMMAND, and the parent reaps what comes.

use std::ffi::CString;

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, execvp, fork};

fn main() -> Result<(), nix::Error> {
    let words: Vec<CString> = std::env::args().skip(2).map(|w| CString::new(w).unwrap()).collect();
    unshare(CloneFlags::CLONE_NEWPID)?;
    // SAFETY: there is one thread.
    let ForkResult::Parent { child } = (unsafe { fork()? }) else {
        let Err(errno) = execvp(&words[0], &words);
        eprintln!("{errno}");
        std::process::exit(127);
    };
    loop {
        match wait()? {
            WaitStatus::Exited(pid, code) if pid == child => std::process::exit(code),
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                std::process::exit(128 + signal as i32)
            }
            _ => {}
        }
    }
}
