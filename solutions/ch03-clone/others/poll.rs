//! Polls the pidfd until COMMAND has ended, and waits for the pid only then.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut pidfd = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: this process has one thread, and without a stack of its own the child runs on a copy of its
    // parent's. The kernel writes one int.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) as i32 };
    if pid == 0 {
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("execve: {error}");
        // SAFETY: the call takes an integer and does not return.
        unsafe { libc::_exit(127) }
    }
    let mut ended = libc::pollfd { fd: pidfd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, which the call fills.
    while unsafe { libc::poll(&raw mut ended, 1, -1) } != 1 {}
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    let status = ExitStatus::from_raw(status);
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
