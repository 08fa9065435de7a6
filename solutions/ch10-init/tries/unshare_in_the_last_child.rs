//! Named: unshare(CLONE_NEWPID) is called by COMMAND's own process
//! Points at: unshare(
//! The namespace is made last, in the process that becomes COMMAND.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, Pid, fork};

fn reap(child: Pid) -> i32 {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => return code,
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => return 128 + signal as i32,
            Ok(_) => {}
            Err(errno) => panic!("wait: {errno}"),
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    // SAFETY: there is one thread in each process.
    unsafe {
        if let ForkResult::Parent { child } = fork().expect("fork") {
            exit(reap(child));
        }
        if let ForkResult::Parent { child } = fork().expect("fork") {
            exit(reap(child));
        }
    }
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    eprintln!("{}", Command::new(&words[0]).args(&words[1..]).exec());
    exit(127);
}
