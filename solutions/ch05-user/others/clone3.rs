//! Calls clone3(2) with a pidfd, and reports over an eventfd(2) that the maps are written. Unlike a pipe,
//! it has no end that a process has to close.

use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{getgid, getuid};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (uid, gid) = (words[0].to_string_lossy(), words[1].to_string_lossy());
    // SAFETY: eventfd takes two integers, and nothing else owns the new descriptor.
    let event = unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, libc::EFD_CLOEXEC)) };
    let mut pidfd: RawFd = -1;
    // SAFETY: all fields are integers, for which zero is valid: it means "not requested".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWUSER | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: `args` and `pidfd` outlive the call. Without a stack of its own the child runs on a copy
    // of its parent's, and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    if Errno::result(pid).unwrap() == 0 {
        let mut count = [0; 8];
        nix::unistd::read(&event, &mut count).unwrap();
        if u64::from_ne_bytes(count) != 1 {
            exit(1);
        }
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{:?}: {error}", words[3]);
        exit(127);
    }
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let write = |file: &str, text: String| fs::write(format!("/proc/{pid}/{file}"), text);
    let mapped = write("uid_map", format!("{uid} {} 1\n", getuid()))
        .and_then(|()| write("setgroups", "deny\n".into()))
        .and_then(|()| write("gid_map", format!("{gid} {} 1\n", getgid())));
    let value: u64 = if mapped.is_ok() { 1 } else { 2 };
    nix::unistd::write(&event, &value.to_ne_bytes()).unwrap();
    let status = waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED).unwrap();
    mapped.unwrap();
    match status {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
