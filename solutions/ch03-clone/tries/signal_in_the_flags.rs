//! Named: SIGCHLD is among the flags
//! The flags are those of clone(2), which has the exit signal among them, and the call is clone3(2).

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = 0;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    let cl =
        CloneArgs { flags: flags as u64, pidfd: &mut pidfd as *mut _ as u64, ..Default::default() };
    // SAFETY: there is one thread, and the struct is the first version of clone_args.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &cl, size_of::<CloneArgs>()) };
    if pid < 0 {
        panic!("clone3 failed: {}", std::io::Error::last_os_error());
    }
    if pid == 0 {
        nix::unistd::sethostname(&args[1]).unwrap();
        Command::new(&args[3]).args(&args[4..]).exec();
        exit(127);
    }
    let mut status = 0;
    // SAFETY: the child is this process's.
    unsafe { libc::waitpid(pid as i32, &mut status, 0) };
    exit(if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    });
}
