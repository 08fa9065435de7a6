//! Named: the child panics when the exec fails
//! Points at: execve(
//! After clone3(2) a panic ends the child as it would end the parent.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::unistd::sethostname;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut pidfd = -1;
    // SAFETY: zeros are a valid value.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of_val(&args)) };
    nix::errno::Errno::result(pid)?;
    if pid == 0 {
        sethostname(&words[0])?;
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        panic!("exec: {error}")
    }
    let mut status = 0;
    // SAFETY: the kernel writes one int.
    unsafe { libc::waitpid(pid as i32, &raw mut status, 0) };
    exit(match libc::WIFEXITED(status) {
        true => libc::WEXITSTATUS(status),
        false => 128 + libc::WTERMSIG(status),
    })
}
