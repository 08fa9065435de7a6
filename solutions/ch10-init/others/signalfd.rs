//! Reads signals from a descriptor, and starts COMMAND with the standard library. PID 1 mounts a /proc of
//! its own, as in chapter 9.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// All signals but those that a fault in this program would raise.
fn most_signals() -> SigSet {
    let mut set = SigSet::all();
    for fault in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGABRT]
    {
        set.remove(fault);
    }
    set
}

fn look_after(child: Pid) -> i32 {
    let signals = SignalFd::with_flags(&most_signals(), SfdFlags::SFD_CLOEXEC).expect("signalfd");
    let mut status = None;
    while status.is_none() {
        let info = signals.read_signal().expect("read").expect("it blocks");
        match Signal::try_from(info.ssi_signo as i32) {
            Ok(Signal::SIGCHLD) => loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::Exited(pid, code)) if pid == child => status = Some(code),
                    Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                        status = Some(128 + signal as i32)
                    }
                    Ok(WaitStatus::StillAlive) | Err(_) => break,
                    Ok(_) => {}
                }
            },
            Ok(signal) => _ = kill(child, signal),
            Err(_) => {}
        }
    }
    status.unwrap_or(1)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let before = most_signals().thread_swap_mask(SigmaskHow::SIG_SETMASK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child));
    }
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
    let mut command = Command::new(&words[0]);
    // SAFETY: this process has one thread, and setting the mask is async-signal-safe.
    unsafe { command.args(&words[1..]).pre_exec(move || Ok(before.thread_set_mask()?)) };
    match command.spawn() {
        Ok(child) => exit(look_after(Pid::from_raw(child.id() as i32))),
        Err(error) => {
            eprintln!("execve: {error}");
            exit(127);
        }
    }
}
