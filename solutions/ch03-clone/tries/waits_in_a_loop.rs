//! Named: the exit signal is not SIGCHLD
//! No signal is given, and the loop around waitpid(2) takes every error for "not yet".

use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    cl.pidfd = &raw mut pidfd as u64;
    // SAFETY: there is one thread.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    if pid == 0 {
        nix::unistd::sethostname(&args[1]).unwrap_or_else(|_| exit(1));
        Command::new(&args[3]).args(&args[4..]).exec();
        exit(127);
    }
    let mut status = 0;
    // SAFETY: the pointer is valid.
    while unsafe { libc::waitpid(pid as i32, &mut status, 0) } != pid as i32 {}
    exit(if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    });
}
