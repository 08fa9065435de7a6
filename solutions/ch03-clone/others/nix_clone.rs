//! Calls clone(2) through nix: the child runs a function, on a stack that the parent provides.

use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut stack = vec![0; 256 * 1024];
    let child = Box::new(|| -> isize {
        if nix::unistd::sethostname(&words[0]).is_err() {
            return 1;
        }
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("execve: {error}");
        127
    });
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    // SAFETY: this process has one thread, and the child has a copy of its memory, so it is free to
    // allocate. The stack is large enough for an exec.
    let pid = unsafe { clone(child, &mut stack, flags, Some(libc::SIGCHLD)) }.expect("clone");
    // SAFETY: pidfd_open takes two integers, and nothing else owns the new descriptor.
    let _pidfd = unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0);
        OwnedFd::from_raw_fd(fd as i32)
    };
    exit(match waitpid(pid, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    });
}
