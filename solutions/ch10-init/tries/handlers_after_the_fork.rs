//! Named: a signal comes while it is not blocked
//! Each process sets its handlers when it knows its child.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, Pid, fork};

static CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn forward(signal: i32) {
    // SAFETY: takes integers, and is async-signal-safe.
    unsafe { libc::kill(CHILD.load(SeqCst), signal) };
}

fn supervise(child: Pid) -> ! {
    CHILD.store(child.as_raw(), SeqCst);
    for name in ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] {
        let number: Signal = name.parse().unwrap();
        // SAFETY: the handler makes one call, which is async-signal-safe.
        unsafe { signal(number, SigHandler::Handler(forward)) }.unwrap();
    }
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => exit(code),
            Ok(WaitStatus::Signaled(pid, by, _)) if pid == child => exit(128 + by as i32),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => panic!("{errno}"),
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: there is one thread in each process.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        supervise(child);
    }
    // SAFETY: the same.
    if let ForkResult::Parent { child } = unsafe { fork() }.unwrap() {
        supervise(child);
    }
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{}: {error}", words[0]);
    exit(127)
}
