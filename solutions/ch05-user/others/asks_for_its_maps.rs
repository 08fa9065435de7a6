//! The child reads its own maps until both are there, or its parent is gone. It sleeps in between.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::time::Duration;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getppid, getuid};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let parent = Pid::this();
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    assert!(pid >= 0, "clone");
    if pid == 0 {
        let is_empty = |map: &str| fs::read(format!("/proc/self/{map}")).unwrap().is_empty();
        while is_empty("uid_map") || is_empty("gid_map") {
            if getppid() != parent {
                exit(1);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{:?}: {error}", words[3]);
        exit(127);
    }
    let map = |file: &str, text: String| {
        fs::write(format!("/proc/{pid}/{file}"), text).unwrap_or_else(|error| {
            eprintln!("{file}: {error}");
            let child = Pid::from_raw(pid as i32);
            nix::sys::signal::kill(child, nix::sys::signal::SIGKILL).unwrap();
            waitpid(child, None).unwrap();
            exit(1);
        });
    };
    map("setgroups", "deny".into());
    map("gid_map", format!("{} {} 1", words[1].to_string_lossy(), getgid()));
    map("uid_map", format!("{} {} 1", words[0].to_string_lossy(), getuid()));
    match waitpid(Pid::from_raw(pid as i32), None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
