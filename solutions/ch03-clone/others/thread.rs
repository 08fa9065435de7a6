//! Makes the child and waits for it in a second thread. A process is the child of its parent's threads all.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, exit};

fn main() {
    std::thread::spawn(run).join().expect("a thread that ends the process");
}

fn run() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut pidfd = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: the main thread only waits, and without a stack of its own the child runs on a copy of its
    // parent's. The kernel writes one int.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) as i32 };
    if pid == 0 {
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("execve: {error}");
        // SAFETY: the call takes an integer and does not return.
        unsafe { libc::_exit(127) }
    }
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    let status = ExitStatus::from_raw(status);
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
