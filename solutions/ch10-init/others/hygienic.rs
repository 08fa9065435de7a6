//! Closes what it does not need, and starts COMMAND in a session, a working directory and an environment of
//! its own.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_name;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, chdir, fork, setsid};

const BLOCKED: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn look_after(child: Pid, blocked: &SigSet) -> i32 {
    loop {
        match blocked.wait().expect("sigwait") {
            Signal::SIGCHLD => {}
            signal => _ = kill(child, signal),
        }
        if let Some(status) = reap(child) {
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
    // SAFETY: nothing in this process owns a descriptor above 2.
    Errno::result(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) }).expect("close_range");
    let blocked = SigSet::from_iter(BLOCKED);
    let old_mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("sigprocmask");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &blocked));
    }
    set_name(c"[init]").expect("prctl");
    setsid().expect("setsid");
    chdir("/").expect("chdir");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        exit(look_after(child, &blocked));
    }
    setsid().expect("setsid");
    chdir("/tmp").expect("chdir");
    umask(Mode::S_IRWXO);
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("setrlimit");
    old_mask.thread_set_mask().expect("sigprocmask");
    let path = ("PATH", "/usr/bin:/bin");
    let error = Command::new(&words[0]).args(&words[1..]).env_clear().envs([path]).exec();
    eprintln!("ch10-init: {}: {error}", words[0]);
    exit(127);
}
