//! One clone3(2) makes a child in both namespaces, and the parent waits for it through a pidfd.

use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: `args` and `pidfd` outlive the call. Without a stack of its own the child runs on a copy
    // of its parent's, and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    if Errno::result(pid).expect("clone3") == 0 {
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
        mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
        let error = Command::new(&words[0]).args(&words[1..]).exec();
        eprintln!("execve: {error}");
        exit(127);
    }
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    exit(match waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED).expect("waitid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    });
}
