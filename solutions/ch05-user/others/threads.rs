//! A thread of the parent writes the maps while the main thread waits for COMMAND. The child stops itself
//! until then, and SIGCONT tells it to go on.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getuid};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (uid, gid) = (words[0].to_string_lossy(), words[1].to_string_lossy());
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    assert!(pid >= 0, "clone");
    if pid == 0 {
        raise(Signal::SIGSTOP).unwrap();
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{:?}: {error}", words[3]);
        exit(127);
    }
    let child = Pid::from_raw(pid as i32);
    waitpid(child, Some(WaitPidFlag::WUNTRACED)).unwrap();
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{uid} {} 1", getuid())),
        ("gid_map", format!("{gid} {} 1", getgid())),
    ];
    let map = thread::spawn(move || -> io::Result<()> {
        let mapped = maps
            .into_iter()
            .try_for_each(|(file, text)| fs::write(format!("/proc/{pid}/{file}"), text));
        kill(child, if mapped.is_ok() { Signal::SIGCONT } else { Signal::SIGKILL })?;
        mapped
    });
    let status = waitpid(child, None).unwrap();
    map.join().unwrap().unwrap();
    match status {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
