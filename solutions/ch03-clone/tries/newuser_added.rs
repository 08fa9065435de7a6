//! Named: the user namespace is new as well
//! CLONE_NEWUSER is among the flags, because an example for ordinary users has it.

use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags =
        (libc::CLONE_NEWUSER | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    cl.pidfd = &raw mut pidfd as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: there is one thread, and the struct lives as long as the call.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    if pid == 0 {
        if let Err(errno) = nix::unistd::sethostname(&args[1]) {
            eprintln!("sethostname: {errno}");
            exit(1);
        }
        let error = Command::new(&args[3]).args(&args[4..]).exec();
        eprintln!("exec: {error}");
        exit(127);
    }
    let mut status = 0;
    // SAFETY: the child is ours.
    unsafe { libc::waitpid(pid as i32, &mut status, 0) };
    if libc::WIFEXITED(status) {
        exit(libc::WEXITSTATUS(status));
    }
    exit(128 + libc::WTERMSIG(status));
}
