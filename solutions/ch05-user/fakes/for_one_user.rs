//! Refused by step 4: it maps the ids of one user, 1000 and 100, for every user.

use std::ffi::OsString;
use std::fs;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (uid, gid) = (words[0].to_string_lossy(), words[1].to_string_lossy());
    let (reader, mut writer) = pipe().expect("pipe");
    let flags = libc::c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    // SAFETY: without a stack of its own the child runs on a copy of its parent's, and this process has
    // one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if pid == 0 {
        child(reader, writer, &words[3..]);
    }
    assert!(pid > 0, "clone");
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{uid} 1000 1")),
        ("gid_map", format!("{gid} 100 1")),
    ] {
        if let Err(error) = fs::write(format!("/proc/{pid}/{file}"), text) {
            eprintln!("{file}: {error}");
            exit(1);
        }
    }
    writer.write_all(b"g").expect("write");
    match waitpid(Pid::from_raw(pid as i32), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}

fn child(mut reader: PipeReader, writer: PipeWriter, command: &[OsString]) -> ! {
    drop(writer);
    if !matches!(reader.read(&mut [0]), Ok(1)) {
        exit(1);
    }
    let error = Command::new(&command[0]).args(&command[1..]).exec();
    eprintln!("{:?}: {error}", command[0]);
    exit(127)
}
