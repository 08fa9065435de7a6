//! Calls fork(2) first and unshare(2) in the child. A socket pair carries the words "moved" and "mapped".

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getgid, getuid};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (mut parent_end, mut child_end) = UnixStream::pair().unwrap();
    // SAFETY: this process has one thread.
    let child = match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            drop(parent_end);
            unshare(CloneFlags::CLONE_NEWUSER).unwrap();
            child_end.write_all(b"moved").unwrap();
            child_end.read_exact(&mut [0; 6]).unwrap();
            let error = Command::new(&words[3]).args(&words[4..]).exec();
            eprintln!("{:?}: {error}", words[3]);
            exit(127);
        }
        ForkResult::Parent { child } => child,
    };
    drop(child_end);
    parent_end.read_exact(&mut [0; 5]).unwrap();
    let directory = format!("/proc/{child}");
    fs::write(format!("{directory}/setgroups"), "deny").unwrap();
    let gid_map = format!("{} {} 1", words[1].to_string_lossy(), getgid());
    fs::write(format!("{directory}/gid_map"), gid_map).unwrap();
    let uid_map = format!("{} {} 1", words[0].to_string_lossy(), getuid());
    fs::write(format!("{directory}/uid_map"), uid_map).unwrap();
    parent_end.write_all(b"mapped").unwrap();
    match waitpid(child, None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
