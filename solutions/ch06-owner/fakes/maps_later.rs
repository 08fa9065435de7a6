//! Refused by step 3: COMMAND is executed while its maps are being written.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid, sethostname};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let owned = libc::CLONE_NEWNET | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | owned | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    assert!(pid >= 0, "clone");
    if pid == 0 {
        sethostname(&words[0]).expect("sethostname");
        std::thread::sleep(std::time::Duration::from_millis(200));
        panic!("execve: {}", Command::new(&words[2]).args(&words[3..]).exec());
    }
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {} 1", geteuid())),
        ("gid_map", format!("0 {} 1", getegid())),
    ] {
        fs::write(format!("/proc/{pid}/{file}"), text).expect(file);
    }
    match waitpid(Pid::from_raw(pid as i32), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        _ => exit(1),
    }
}
